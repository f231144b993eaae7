"""What axe, the checker of accessibility, finds wrong on a page."""

from axe_playwright_python.base import AXE_SCRIPT

# Asks axe only for the rules that a page breaks, and where: sending its other results takes longer than finding them.
VIOLATIONS = """options => axe.run({resultTypes: ['violations'], ...options}).then(({violations}) =>
    violations.map(({help, nodes}) => `${help}: ${nodes.map(({html}) => html)}`))"""


def violations(page, **options):
    """Returns the rules that the page breaks, each with the HTML of where; `options` are those of axe.run().

    Loads axe into the page unless it is there.
    """
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(VIOLATIONS, options)
