"""What a site looks like: colours, mark and icon, all derived at start from a few settings (docs/customise.md)."""
