"""Who you are: people, their sessions, and all that proves them to be who they are."""
