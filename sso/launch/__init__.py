"""The link of an app, which anybody may pass on: it leads whoever is let in on to the app."""
