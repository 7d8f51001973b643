"""What curves does a figure show? Drawings (PDF, SVG), images (PNG) and points set by hand (CSV)."""
