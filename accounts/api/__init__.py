"""JSON doors, one file for each noun: those of /api/v1, and those of allauth.headless with our forms and verbs."""
