"""What do several trials say together, where they may be put together at all?"""
