"""How does a display become a file: RTF, DOCX, PDF?"""
