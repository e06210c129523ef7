"""Files for other programs, by which the mounts run as several deployments behind one front; nothing is applied."""
