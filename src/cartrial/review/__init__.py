"""How does a committee read, adjudicate and sign? Cases and their evidence, and the web application that shows them to readers.

Nothing outside this room imports it, and Django is imported below `cartrial.review.app` alone.
"""
