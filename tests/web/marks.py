"""A helper that reads the mark of a page's form."""


def mark_of(page):
    return page.split('name="form" value="')[1].split('"')[0]
