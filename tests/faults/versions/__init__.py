"""Services of several versions in one house, each replaced while the others work on."""
