from storefront import answer


def application(environ, start_response):
    return answer("shop", environ, start_response)
