"""A helper that reads the hidden value by which a page's form proves that it comes from Usher."""


def mark_of(page):
    return page.split('name="form" value="')[1].split('"')[0]
