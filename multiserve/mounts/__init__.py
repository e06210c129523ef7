"""What a mount can be besides an application that was loaded."""
