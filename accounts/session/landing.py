"""Where people go once they are signed in."""

from django.conf import settings


def landing(next_url: str = "") -> str:
    """Returns what to redirect a signed-in person to: `next_url`, where they were going, if it is not "".

    Otherwise it is the start page, whose main button leads on to the product, or, if the site names no product
    (PRODUCT_URL), the account page.
    """
    return next_url or ("entry" if settings.PRODUCT_URL else "account")
