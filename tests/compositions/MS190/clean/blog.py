import socket

from bottle import Bottle

app = Bottle()


def lookup_ipv4(host, port, *more):
    return socket.getaddrinfo(host, port, socket.AF_INET, *more)
