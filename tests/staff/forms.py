"""What a browser would send: the values of a page's form."""

from html.parser import HTMLParser


class FormReader(HTMLParser):
    """The fields of the form with `form_id`, with the values that they have."""

    def __init__(self, form_id):
        super().__init__()
        self.form_id, self.inside, self.select, self.textarea = form_id, False, None, None
        self.fields = {}

    def handle_starttag(self, tag, attributes):
        attrs = dict(attributes)
        if tag == "form":
            self.inside = attrs.get("id") == self.form_id
        if not self.inside or "disabled" in attrs:
            return
        name = attrs.get("name")
        if tag == "input" and name and attrs.get("type") not in ("submit", "file"):
            is_box = attrs.get("type") == "checkbox"
            if not is_box or "checked" in attrs:
                self.fields[name] = attrs.get("value", "on" if is_box else "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in attrs:
            self.fields[self.select] = attrs["value"]
        elif tag == "textarea":
            self.textarea = name
            self.fields[name] = ""

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.textarea = None

    def handle_data(self, data):
        if self.inside and self.textarea:
            self.fields[self.textarea] += data


def form_of(response, form_id):
    """The fields of a page's form, ready to be changed and posted."""
    reader = FormReader(form_id)
    reader.feed(response.content.decode())
    return {name: value for name, value in reader.fields.items() if "__prefix__" not in name}


def change(client, path, form_id, **values):
    """Open a change form, alter some of its fields, and save; returns the page that follows."""
    fields = form_of(client.get(path), form_id)
    return client.post(path, {**fields, **values}, follow=True)


def texts_of(response):
    return [str(message) for message in response.context["messages"]]
