"""The sign-up funnel: how many people come to each step of their way in."""
