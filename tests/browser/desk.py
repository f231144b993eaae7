"""What staff do and bring at the desk, in a browser."""

from io import BytesIO

from openpyxl import Workbook

from tests.tools.factories import PASSWORD


def sign_in_staff(page, name="olga"):
    """Signs in by the form that the desk shows to whoever is not signed in, and leads to its home."""
    page.goto("/admin/")
    page.fill("#id_login", name)
    page.fill("#id_password", PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url("**/admin/")


def workbook():
    """Returns an Excel file of 40 people, with a title row, names in two columns and three bad lines."""
    book, raw = Workbook(), BytesIO()
    book.active.append(["Autumn workshop, participants"])
    book.active.append(["First name", "Last name", "E-mail", "Phone"])
    for n in range(40):
        book.active.append([f"Guest{chr(97 + n % 26)}", "Hopper", f"guest{n}@example.com", f"+1 {n}"])
    for bad in ("no address", "bob@corp", "@"):
        book.active.append(["Bad", "Line", bad])
    book.save(raw)
    return {"name": "people.xlsx", "mimeType": "application/octet-stream", "buffer": raw.getvalue()}


def said(page):
    """Returns the messages above a page of the desk."""
    return page.locator(".messagelist").inner_text()
