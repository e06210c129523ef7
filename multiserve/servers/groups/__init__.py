"""What both servers need for groups of mounts in processes of their own."""
