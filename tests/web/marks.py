"""The mark of a page's forms."""


def mark_of(page):
    return page.split('name="form" value="')[1].split('"')[0]
