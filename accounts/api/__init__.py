"""The doors of allauth.headless that are open: its protocol, our forms, verbs and limits. One file for each noun."""
