"""Lists of people to be invited: reading them from files and forms, and writing invitations to CSV."""
