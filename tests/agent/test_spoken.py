"""Text made fit for a voice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.spoken import speakable

CASES = {
    # numbers to write down
    "K74Q9": "K 7 4 Q 9",
    "Your code is A7B1, or 4821.": "Your code is A, 7 B 1, or 4821.",
    "The code is 4821.": "The code is 4 8 2 1.",
    "Order AB-1234-XY": "Order A, B, 1 2 3 4, X Y",
    "SAVE20 at gate B12": "SAVE 20 at gate B 12",
    "k74q9 and h2o": "K 7 4 Q 9 and H 2 O",
    "555-201-8469": "5 5 5, 2 0 1, 8 4 6 9",
    "+1 415 555 0100": "plus 1, 4 1 5, 5 5 5, 0 1 0 0",
    "+14155550100": "plus 1, 4 1 5, 5 5 5, 0 1 0 0",
    "(415) 555-0100 or 555-0142.": "4 1 5, 5 5 5, 0 1 0 0 or 5 5 5, 0 1 4 2.",
    "1-800-555-0199": "1, 8 0 0, 5 5 5, 0 1 9 9",
    "020 7946 0958": "0 2 0, 7 9 4 6, 0 9 5 8",
    "4111 1111 1111 1111": "4 1 1 1, 1 1 1 1, 1 1 1 1, 1 1 1 1",
    "Zip 10012.": "Zip 1 0 0 1 2.",
    "Ref. 5550142": "Ref. 5 5 5, 0 1 4 2",
    "Call 911, or dial 112.": "Call 9 1 1, or dial 1 1 2.",
    "Call us at 212.555.0199 today.": "Call us at 2 1 2, 5 5 5, 0 1 9 9 today.",
    "Call +44 20 7946 0000.": "Call plus 4 4, 2 0, 7 9 4 6, 0 0 0 0.",
    "Call +39 06 12345678.": "Call plus 3 9, 0 6, 1 2 3 4, 5 6 7 8.",
    "+1 (415) 555-0100 ext. 42": "plus 1, 4 1 5, 5 5 5, 0 1 0 0 extension 42",
    "Our number is 555 0142.": "Our number is 5 5 5, 0 1 4 2.",
    "Text STOP to 12345.": "Text STOP to 1 2 3 4 5.",
    "ID: 12345678": "ID: 1 2 3 4, 5 6 7 8",
    "order #A-1029": "order number A, 1 0 2 9",
    "code: XK9-42B": "code: X K 9, 42 B",
    "flight BA2490, gate 12": "flight B A, 2 4 9 0, gate 12",
    "PIN 0042": "PIN 0 0 4 2",
    "Press # when done.": "Press the pound key when done.",
    "Then the # key, or press '#'.": "Then the pound key, or press the pound key.",
    "Press * to go back.": "Press the star key to go back.",
    "room 204, extension 42": "room 204, extension 42",
    "COVID-19, MP3, 5G, B2B": "COVID 19, M P 3, 5 G, B 2 B",
    # numbers to count with
    "15000 people in 2025, 1,250 of them 3.5": "15000 people in 2025, 1,250 of them 3.5",
    "#5, no. 6, No. 7": "number 5, number 6, number 7",
    "5-10 or 9–17 or 2019–2021": "5 to 10 or 9 to 17 or 2019 to 2021",
    "20% or 5%-10%": "20 percent or 5 percent to 10 percent",
    "1/2 cup, 1 1/2 hours, 2½, ¾, 7/8": "one half cup, 1 and one half hours, 2 and one half, three quarters, 7 slash 8",
    "3x5, 3 × 5, 3 * 4 = 12, +2, ~5 mins": "3 by 5, 3 by 5, 3 times 4 equals 12, plus 2, about 5 minutes",
    "72°F, 20 °C, 5°": "72 degrees Fahrenheit, 20 degrees Celsius, 5 degrees",
    "2nd, 1ST": "2nd, 1ST",
    "-5°C and −3, ±2": "minus 5 degrees Celsius and minus 3, plus or minus 2",
    "<5, > 10, ≤ 3, ≥ 4, ≈10": "less than 5, more than 10, at most 3, at least 4, about 10",
    "10k people, 1e6": "10 thousand people, 1 E 6",
    "5 km, 3 kg, 250 g, 2 l, 10 cm": "5 kilometers, 3 kilograms, 250 grams, 2 liters, 10 centimeters",
    "6 ft, 1 ft, 5 lbs, 8oz": "6 feet, 1 foot, 5 pounds, 8 ounces",
    "100 km/h or 60 mph": "100 kilometers per hour or 60 miles per hour",
    "24hrs, 1 hr 30 min.": "24 hours, 1 hour 30 minutes.",
    "80 m², 16GB, H₂O": "80 square meters, 16 gigabytes, H 2 O",
    "I am 5'10\".": "I am 5 foot 10.",
    "50/50, 7/10": "50 50, 7 slash 10",
    "a 5.5% fee, 50% off!": "a 5.5 percent fee, 50 percent off!",
    "the '90s, the 1990s": "the '90s, the 1990s",
    # times and dates
    "7:30 pm": "7 30 PM",
    "7 p.m. or 7:05AM": "7 PM or 7 oh 5 AM",
    "At 7 p.m.": "At 7 PM.",
    "At 7 p.m. We close.": "At 7 PM. We close.",
    "12:00-22:00": "12 o'clock to 10 PM",
    "9am–5pm, Mon-Fri": "9 AM to 5 PM, Monday to Friday",
    "00:15, 24:00, 9:00, 19:05": "12 15 AM, 12 AM, 9 o'clock, 7 oh 5 PM",
    "25:00, 7:75, 13 pm": "25:00, 7:75, 13 pm",
    "24/7": "24 7",
    "2026-03-14": "March 14th, 2026",
    "3/1/2026, 22/3/2026, 2026-13-40": "March 1st, 2026, March 22nd, 2026, 2026-13-40",
    "Jan. 5, Sept 3, Sat. and Tues.": "January 5, September 3, Saturday and Tuesday.",
    "Monday. Friday.": "Monday. Friday.",
    "12/25, 12/25/26, 25.12.2026": "December 25th, December 25th, 2026, December 25th, 2026",
    "25 Dec at 6 p.m.": "25 December at 6 PM.",
    "2026-11-27T19:30": "November 27th, 2026 at 7 30 PM",
    "Nov. 27th, 7:30 p.m. is free": "November 27th, 7 30 PM is free",
    "noon–1pm, 11 a.m. - noon": "noon to 1 PM, 11 AM to noon",
    "9-10:30am": "9 to 10 30 AM",
    "9 a.m. - 5 p.m.": "9 AM to 5 PM.",
    "Mon–Fri 9–5, Sat & Sun": "Monday to Friday 9 to 5, Sat and Sun",
    # money
    "$14.50": "14 dollars and 50 cents",
    "$1, $14.00, $0.99, $1,250": "1 dollar, 14 dollars, 99 cents, 1,250 dollars",
    "€3.01, £1.20, £0.01": "3 euros and 1 cent, 1 pound and 20 pence, 1 penny",
    "$2.5 million, $5-$10, $2.5": "2.5 million dollars, 5 dollars to 10 dollars, 2.5 dollars",
    "14.50€, 14,50 €, 20 €, 10$": "14 euros and 50 cents, 14 euros and 50 cents, 20 euros, 10 dollars",
    "USD 20, 15 EUR, $20 USD, US$5": "20 dollars, 15 euros, 20 dollars, 5 dollars",
    "$14.5k, $3M, £1.5m, €2bn": "14.5 thousand dollars, 3 million dollars, 1.5 million pounds, 2 billion euros",
    "£9.99/month, $12/hr, $30/person": "9 pounds and 99 pence per month, 12 dollars per hour, 30 dollars per person",
    "-$5, $-5, 50¢": "minus 5 dollars, minus 5 dollars, 50 cents",
    "$1.00 to $2.00": "1 dollar to 2 dollars",
    # abbreviations
    "Dr. Smith, Mr. Lee, St. Mary": "Doctor Smith, Mister Lee, Saint Mary",
    "12 Oak Dr. near Main St.": "12 Oak Drive near Main Street.",
    "5 Elm St. Springfield": "5 Elm Street. Springfield",
    "Oak Ave. and 5th Blvd. here": "Oak Avenue and 5th Boulevard here",
    "e.g. pizza, i.e. food, etc.": "for example pizza, that is food, et cetera.",
    "A vs. B, approx. 5": "A versus B, approximately 5",
    "and/or w/ cheese w/o wine & more": "and or with cheese without wine and more",
    "min. 2 people, max. 10, approx 5": "minimum 2 people, maximum 10, approximately 5",
    "cats vs dogs, etc": "cats versus dogs, et cetera",
    "Jan Smith Jr. and Sons Ltd.": "Jan Smith Junior and Sons Limited.",
    "P.O. Box 12, Suite #12": "P O Box 12, Suite number 12",
    "Zuppa, a.k.a. soup, b/c why not": "Zuppa, also known as soup, because why not",
    "Prof. Li, Mt. Etna, 5 Mrs. Ray": "Professor Li, Mount Etna, 5 Missus Ray",
    "AT&T, Q&A, R&B": "AT and T, Q and A, R and B",
    "he/she, yes / no": "he she, yes no",
    # addresses on the net
    "Mail info@bella-roma.com.": "Mail info at bella dash roma dot com.",
    "See https://www.roma.com/menu?d=1!": "See roma dot com slash menu question mark d equals 1!",
    "Visit roma.co.uk today": "Visit roma dot co dot uk today",
    "Ask info@bella.it or @bella": "Ask info at bella dot it or at bella",
    "example.ai and example.com/menu.pdf": "example dot ai and example dot com slash menu dot pdf",
    "http://localhost:8000/x": "localhost colon 8000 slash x",
    "www.example.com/": "example dot com",
    # markup
    "***Wow***, ~~no~~ `x = 1`": "Wow, no x equals 1",
    "> A quote\n+ an item": "A quote. an item",
    "<b>Bold</b> text<br/>here": "Bold text here",
    "Fish &amp; chips&nbsp;here": "Fish and chips here",
    "\\*not bold\\*": "not bold",
    "1) first\n2) second": "1, first. 2, second",
    "Sure! :) Bye ;-)": "Sure! Bye",
    "❤️ 🇮🇹 1️⃣ ✓ → ★★★": "1",
    "#pizza is on": "pizza is on",
    "**Bold** and _it_ and `code`": "Bold and it and code",
    "[the menu](https://roma.com/menu)": "the menu",
    "# Menu\n\n- pizza\n* pasta!\n1. wine": "Menu. pizza. pasta! 1, wine",
    "| a | b |\n|---|---|\n| c | d |": "a, b. c, d",
    "```py\nhello\n```": "hello",
    "snake_case": "snake case",
    "Great! 😊👍🏽 It's ☀️ here": "Great! It's here",
    "👨‍👩‍👧": "",
    "---": "",
    "": "",
    # what needs nothing
    "We are open, come in (please)!": "We are open, come in (please)!",
    "He said it's “fine” — naïve café.": "He said it's “fine” — naïve café.",
}


@pytest.mark.parametrize(("written", "spoken"), CASES.items())
def test_text_is_put_into_words(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@pytest.mark.parametrize("spoken", CASES.values())
def test_what_is_speakable_stays(spoken: str) -> None:
    assert speakable(spoken) == spoken


@given(st.text(max_size=200) | st.text("0123456789:./-+$%#*_`|@ apmAPMK\n", max_size=60))
def test_anything_gives_one_line(text: str) -> None:
    spoken = speakable(text)
    assert spoken == spoken.strip()
    assert len(spoken.splitlines()) <= 1


@given(st.lists(st.text("fghjklnouz", min_size=3, max_size=9), min_size=1), st.data())
def test_words_are_never_lost(words: list[str], data: st.DataObject) -> None:
    between = data.draw(
        st.lists(st.sampled_from([" ", ", ", ". ", "\n", "\n- ", " **", "** ", " 😊 ", " & ", "! ", " 5 "]))
    )
    text = "".join(word + (between[n % len(between)] if between else " ") for n, word in enumerate(words))
    spoken = iter(speakable(text).replace(",", " ").replace(".", " ").replace("!", " ").split())
    assert all(word in spoken for word in words)
