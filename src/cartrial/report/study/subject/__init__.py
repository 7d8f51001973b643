"""What happened to one subject, and how did each of its values come about? For the page and for the terminal."""
