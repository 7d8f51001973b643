"""What can be typed to show that an installation is right?"""

from cartrial.cli.proof import qualify

__all__ = ["qualify"]
