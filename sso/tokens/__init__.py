"""The doors at which apps, not browsers, ask: tokens for codes, who somebody is, and what a token is worth."""
