import socket

from bottle import Bottle

app = Bottle()
lookup = socket.getaddrinfo


def lookup_ipv4(host, port, family=0, *more):
    return lookup(host, port, socket.AF_INET, *more)


socket.getaddrinfo = lookup_ipv4
