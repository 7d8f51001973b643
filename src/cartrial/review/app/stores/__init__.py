"""Where is what the workspace keeps, in a file or on a server, and what keeps it from being changed there?"""
