"""Every guarantee the log can show is checked in the log alone: pure, in any order of reading."""
