from multiserve.servers.management.exposition import Family, expose


def test_the_text():
    family = Family("requests_total", "counter", "Requests.")
    family.add(3, route='a"b\\c\nd', method="GET")
    family.add(0.25)
    family.add(1, "_bucket", le="+Inf")
    assert expose([family]) == (
        "# HELP requests_total Requests.\n"
        "# TYPE requests_total counter\n"
        'requests_total{route="a\\"b\\\\c\\nd",method="GET"} 3\n'
        "requests_total 0.25\n"
        'requests_total_bucket{le="+Inf"} 1\n'
    )
