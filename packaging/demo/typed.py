"""Words that the demo types into records, and looks for in clear on every disk afterwards."""

from __future__ import annotations

# In two parts, so that the search does not find this very file.
MARKERS = [
    " ".join(parts)
    for parts in (
        ("Halvoryn", "optics"),
        ("30 5550", "17312"),
        ("Prefers calls before", "nine; ask for Quorrabel"),
        ("Tessovan", "optics"),
        ("30 5550", "29883"),
        ("Wants the Brindlewick", "catalogue"),
        ("Parking behind", "the Ulmenhain gate"),
        ("Invoices go to", "the Zellerfeld office"),
        ("Ilka", "Vossmeer"),
        ("Tomas", "Brenlik"),
        ("Rieke", "Aldoven"),
        ("Marit", "Quellin"),
        ("Jonas", "Fendrup"),
        ("Sanne", "Okterhuis"),
        ("Pavel", "Strombek"),
        ("Lena", "Wittgard"),
        ("Visit to the", "Orvendale works"),
        ("Showed the Kestrix", "40, price by Friday"),
        ("Send the quote", "to Orvendale"),
        ("Add the Kestrix", "spare kit"),
    )
]
