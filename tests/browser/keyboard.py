"""Using a page by keyboard alone, and reading it."""

# User agents of two browsers.
PHONE = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
LAPTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

# The id, name or text of the element that has the focus.
FOCUS = "(({id, name, textContent}) => id || name || textContent.trim())(document.activeElement)"


def tab_to(page, target, most=30):
    """Presses Tab until `target` (an id, name or text) has the focus. Raises AssertionError after `most` presses."""
    for _ in range(most):
        if page.evaluate(FOCUS) == target:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {target!r}")


def focused(page, target):
    """Waits until the page itself has moved the focus to `target`. Raises AssertionError if it does not."""
    for _ in range(100):
        if page.evaluate(FOCUS) == target:
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"{target!r} never had the focus, but {page.evaluate(FOCUS)!r}")


def write(page, target, text):
    tab_to(page, target)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def enter(page):
    """Presses Enter and waits for the page it leads to."""
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")


def heading(page):
    return page.locator("h1").inner_text()


def words(page):
    """Returns the words of the page without its header and footer."""
    return page.locator("main").inner_text()


def press(page, target):
    """Moves to a button or link by Tab, and presses Enter."""
    tab_to(page, target)
    enter(page)


def sign_in(page, name, password):
    page.goto("/login")
    write(page, "id_login", name)
    write(page, "id_password", password)
    enter(page)


def answer_google(page, *, cancel=False):
    """Presses "Continue" or "Cancel" on the page of the stand-in for Google; both buttons have one name."""
    assert heading(page) == "Stand-in for Google"
    tab_to(page, "answer")
    if cancel:
        page.keyboard.press("Tab")
    enter(page)
