"""The development mailbox: pages that show the mail of a site on this machine."""
