"""One adapter per framework; each folder holds the same files, so that two can be read side by side."""
