"""What a voice can say: markup, symbols, numbers and abbreviations as words, in American English."""

import calendar
import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from re import Match

_Rule = tuple[re.Pattern[str], str | Callable[[Match[str]], str]]

_MONTHS = tuple(calendar.month_name)[1:]
_DAYS = tuple(calendar.day_name)
_DAY = r"(Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun)(?:day|sday|nesday|rsday|urday)?"
_FRACTIONS = {
    **{"½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third", "⅔": "two thirds"},
    **{"1/2": "one half", "1/4": "one quarter", "3/4": "three quarters", "1/3": "one third", "2/3": "two thirds"},
}
_COINS = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}
_IN_ADDRESSES = {
    **{".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", "+": "plus", ":": "colon", "~": "tilde"},
    **{"?": "question mark", "=": "equals", "&": "and", "#": "hash", "%": "percent"},
}
_ABBREVIATIONS = {
    **{"e.g": "for example", "i.e": "that is", "etc": "et cetera", "vs": "versus", "approx": "approximately"},
    **{"ave": "Avenue", "blvd": "Boulevard", "rd": "Road", "apt": "apartment", "ext": "extension"},
    **{"dept": "department", "a.k.a": "also known as", "min": "minimum", "max": "maximum"},
    **{"inc": "Incorporated", "ltd": "Limited", "co": "Company", "jr": "Junior", "sr": "Senior"},
}
_UNITS = {
    **{"km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "kg": "kilogram", "g": "gram"},
    **{"l": "liter", "ml": "milliliter", "lb": "pound", "lbs": "pound", "oz": "ounce", "mi": "mile", "yd": "yard"},
    **{"min": "minute", "mins": "minute", "hr": "hour", "hrs": "hour", "sec": "second", "secs": "second"},
    **{"GB": "gigabyte", "MB": "megabyte", "yr": "year", "yrs": "year", "ft": "foot"},
}
_SCALES = {"k": "thousand", "m": "million", "bn": "billion"}
_CODES = {"USD": "$", "US$": "$", "EUR": "€", "GBP": "£"}
_TITLES = {"Mr": "Mister", "Mrs": "Missus", "Dr": "Doctor", "St": "Saint", "Prof": "Professor", "Mt": "Mount"}
_IN_STREETS = {"St": "Street", "Dr": "Drive"}
_SYMBOLS = {
    **{"&": " and ", "@": " at ", "=": " equals ", "°": " degrees ", "¢": " cents ", "|": ", ", "•": ", "},
    **{"±": " plus or minus ", "≈": " about ", "≤": " at most ", "≥": " at least ", "²": " squared ", "³": " cubed "},
}
_SMALL_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


@lru_cache(maxsize=64)  # a sentence is looked at before it is taken for one, and again when it is spoken
def speakable(text: str) -> str:
    """`text` as a voice should read it, on one line; empty if there is nothing to say.

    Takes one sentence or several, as a model wrote them. Phone numbers and codes become spaced digits and letters,
    with commas for the pauses. Words are never dropped, and text that is speakable comes back as it is. A date such
    as 3/4/2026 is read month first, as Americans write it. Never raises.
    """
    text = text.translate(_SMALL_DIGITS)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = "".join(map(_sayable, _one_line(text)))
    for pattern, replacement in _TIDYING:
        text = pattern.sub(replacement, text)
    return text.strip()


def _one_line(text: str) -> str:
    """Lines end in a mark, since a voice stops at a mark and not at a line's end."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    ended = [line if line[-1] in ".!?:;,…" else line + "." for line in lines[:-1]]
    return " ".join(ended + lines[-1:])


def _sayable(char: str) -> str:
    if char in _SYMBOLS:
        return _SYMBOLS[char]
    kind = unicodedata.category(char)
    if kind == "Cf" or "\ufe00" <= char <= "\ufe0f" or char == "\u20e3":  # joiners and the parts of an emoji
        return ""
    return " " if kind in ("So", "Sk", "Sm", "Cc", "Cs", "Co", "Cn") or char in "*_`\\" else char


def _stop(match: Match[str]) -> str:
    """The full stop of an abbreviation that was also the sentence's."""
    return "." if match[0].endswith(".") and re.match(r"[\"')\]]*(\s+[A-Z]|\s*$)", match.string[match.end() :]) else ""


def _address(match: Match[str]) -> str:
    name = re.sub(r"^(https?://)?(www\.)?", "", match[0], flags=re.IGNORECASE).rstrip("/")
    return " ".join(
        f" {_IN_ADDRESSES[part]} " if part in _IN_ADDRESSES else part for part in re.split(r"([\W_])", name)
    )


def _digits(match: Match[str]) -> str:
    """A phone number, card number or the like: its groups as written, or the customary ones."""
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(" ".join(part) for group in re.findall(r"\d+", match[0]) for part in _groups(group))


def _groups(digits: str) -> list[str]:
    if len(digits) <= 5:
        return [digits]
    head = [digits[0]] if len(digits) == 11 and digits[0] == "1" else []
    rest = digits[len(head) :]
    if len(rest) == 8:
        return [*head, rest[:4], rest[4:]]
    while len(rest) > 4:
        head, rest = [*head, rest[:3]], rest[3:]
    return [*head, rest]


def _code(match: Match[str]) -> str:
    """K74Q9 letter by letter; what has one number at its end, such as B12 or SAVE20, as a name and a number."""
    runs = re.findall(r"[A-Za-z]+|\d+|-", match[0])
    if len(runs) == 3 and runs[1] == "-" and _is_word(runs[0]) and _is_word(runs[2]):
        return f"{runs[0]} {runs[2]}"  # COVID-19
    plain = "-" in runs or len(runs) == 2
    spelled = " ".join("," if run == "-" else run if plain and _is_word(run) else " ".join(run.upper()) for run in runs)
    return re.sub(r"\bA(?= [A-Z0-9])", "A,", spelled)  # "A 7" would be read as the article


def _is_word(run: str) -> bool:
    return len(run) > 3 if run.isalpha() else len(run) < 3 and run[0] != "0"


def _ordinal(number: int) -> str:
    teens = 10 < number % 100 < 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _date(match: Match[str]) -> str:
    parts = match.groupdict()
    month, day, year = int(parts["month"]), int(parts["day"]), parts.get("year") or ""
    if month > 12:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    full = f", {'20' if len(year) == 2 else ''}{year}" if year else ""
    return f"{_MONTHS[month - 1]} {_ordinal(day)}{full}"


def _month(match: Match[str]) -> str:
    return next(month for month in _MONTHS if month.startswith(match[1][:3]))


def _day(name: str) -> str:
    return next(day for day in _DAYS if day.startswith(name))


def _time(match: Match[str]) -> str:
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").upper()
    if hour > 24 or minute > 59 or (half and not 1 <= hour <= 12):
        return match[0]
    if not half and hour in (0, *range(13, 25)):
        hour, half = (hour - 1) % 12 + 1, "P" if 12 < hour < 24 else "A"
    minutes = f" oh {minute}" if 0 < minute < 10 else f" {minute}" if minute else "" if half else " o'clock"
    return f"{hour}{minutes}{f' {half}M' if half else ''}{_stop(match)}"


def _price(match: Match[str]) -> str:
    coin, cent = _COINS[match["coin"]]
    whole, cents, scale = match["whole"], match["cents"], match["scale"]
    if scale:
        return f"{whole}{match['fraction'] or ''} {_SCALES.get(scale.lower(), scale)} {coin}s"
    if match["fraction"] and not cents:
        return f"{whole}{match['fraction']} {coin}s"
    words = f"{whole} {coin}{'' if whole == '1' else 's'}"
    if not int(cents or 0):
        return words
    small = f"{int(cents)} {cent if int(cents) == 1 else 'pence' if cent == 'penny' else cent + 's'}"
    return small if whole == "0" else f"{words} and {small}"


def _price_before_coin(match: Match[str]) -> str:
    """`14,50 €` and `20 USD` with the coin in front, as the rule for prices has it."""
    coin = _CODES.get(match["after"], match["after"])
    return f"{coin}{match['whole']}{'.' + match['cents'] if match['cents'] else ''}"


def _unit(match: Match[str]) -> str:
    name = match["unit"]
    if name.endswith("²"):
        name = f"square {_UNITS[name[:-1]]}s"
    else:
        name = _UNITS[name] if match["number"] == "1" else f"{_UNITS[name]}s".replace("foots", "feet")
    return f"{match['number']} {name}{_stop(match)}"


def _title(match: Match[str]) -> str:
    """`Dr. Ruiz` and `St. Mark`, but `12 Oak Dr.` and `Main St.`"""
    name = match[1]
    if name in _IN_STREETS:
        in_address = re.search(r"\d+\s+(?:[A-Z][\w.]*\s+){1,3}$", match.string[: match.start()])
        if in_address or not re.match(r"\s+[A-Z]", match.string[match.end() :]):
            return _IN_STREETS[name] + _stop(match)
    return _TITLES[name]


def _rule(pattern: str, replacement: str | Callable[[Match[str]], str], flags: int = 0) -> _Rule:
    return re.compile(pattern, flags), replacement


_I, _M = re.IGNORECASE, re.MULTILINE
_AMOUNT = r"[$€£]?\d{1,3}(?:,\d{3})*(?:[.:]\d{1,2})?(?:\s?%|\s?[ap]\.?m\b\.?)?"
_SITE = (
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|org|net|edu|gov|info|biz|app|dev|io|ai|co\.uk|uk|ca|de|fr|eu|shop|store|online|cafe|pizza|restaurant)\b"
)
_PER = r"(?:hour|hr|day|night|week|month|year|person|piece|guest|head)"
_PHONE = "|".join(
    (
        r"\+\d[\d ().-]{6,18}\d",
        r"(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}",
        r"\(?0\d{1,4}\)? \d{3,4} \d{3,4}",
        r"\d{4}(?:[ -]\d{4}){2,3}",
        r"\d{3}[ .]\d{4}|\d{3,4}-\d{4}",
        r"(?!\d{2,3}000\b)\d{5,}",
    )
)

# The order matters: what a later rule would take apart is put into words by an earlier one.
_RULES: tuple[_Rule, ...] = (
    _rule(r"&#?\w{2,8};", lambda m: html.unescape(m[0])),
    _rule(r"[’‘]", "'"),
    _rule(r"[^\S\n]+", " "),
    _rule(r"[−‒](?=[$€£]?\d)", "-"),
    # markup
    _rule(r"</?[a-z][a-z0-9]*(?: [^<>\n]*)?/?>", " ", _I),
    _rule(r"(?<![\w)])[:;]-?[)(DP](?!\w)", ""),
    _rule(r"```\w*", ""),
    _rule(r"!?\[([^\[\]]+)\]\([^()\s]*\)", r"\1"),
    _rule(r"^ *(?:[-*_=|:] *){3,}$", "", _M),
    _rule(r"^ *\| *| *\| *$", "", _M),
    _rule(r"^ *(?:#{1,6}|>+|[-*•‣▪◦–—]) +", "", _M),
    _rule(r"^ *(\d{1,2})[.)] +(?=\S)", r"\1, ", _M),
    # keys of the telephone
    _rule(r"(?<![\w&])(?:the )?[\"'“]?#[\"'”]?(?: (?:key|sign|button)\b)?(?![\w&])", "the pound key", _I),
    _rule(
        r"\b(press|hit|push|by|with|the) (?:the )?[\"'“]?\*[\"'”]?(?: (?:key|sign|button)\b)?(?=[\s.,;:!?]|$)",
        lambda m: f"{'' if m[1].lower() == 'the' else m[1] + ' '}the star key",
        _I,
    ),
    # addresses on the net
    _rule(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _address),
    _rule(rf"\b(?:https?://|www\.|(?={_SITE})){r'[^\s<>()\[\]"*]*[^\s<>()\[\]"*.,;:!?\']'}", _address, _I),
    _rule(r"\*\*|__|~~", ""),
    _rule(r"(?<![^\W_])_|_(?![^\W_])", ""),
    # dates and numbers
    _rule(r"(?<=\d-\d\d)T(?=\d\d:\d\d)", " at "),
    _rule(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b", _date),
    _rule(r"\b(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d\d)\b(?!/)", _date),
    _rule(r"(?<![\d.])(?P<day>\d{1,2})\.(?P<month>0?[1-9]|1[0-2])\.(?P<year>\d{4})\b", _date),
    _rule(r"(?<![\w/.-])(?P<month>1[0-2]|0?[1-9])/(?P<day>1[3-9]|2\d|3[01])(?![\w/]|[.-]\d)", _date),
    _rule(r"\b(24/7|50/50)\b", lambda m: m[1].replace("/", " ")),
    _rule(r"\b(call|dial|ring) (911|112|999|988)\b", lambda m: f"{m[1]} {' '.join(m[2])}", _I),
    _rule(r"(?<![\w/.])(\d+) ?([½¼¾⅓⅔]|[1-3]/[2-4])(?![\w/])", lambda m: f"{m[1]} and {_FRACTIONS.get(m[2], m[2])}"),
    _rule(r"[½¼¾⅓⅔]|(?<![\w/.])(?:1/[234]|3/4|2/3)(?![\w/])", lambda m: _FRACTIONS[m[0]]),
    _rule(rf"(?<![\w.,$€£:/-])(?:{_PHONE})(?![\w%/:-]|[.,]\d)", _digits),
    _rule(
        r"\b((?:code|pin|passcode|extension|ext\.|number)(?: is)?:? )#?(\d{3,4})(?![\w%-]|[.,:]\d)",
        lambda m: m[1] + " ".join(m[2]),
        _I,
    ),
    _rule(r"\b(noon|midnight) ?[-–] ?(?=\d)", r"\1 to ", _I),
    _rule(r"(?<=[\dmM.]) ?[-–] ?(?=(?:noon|midnight)\b)", " to ", _I),
    _rule(rf"(?<![\w.,:/-])({_AMOUNT}) ?[-–] ?({_AMOUNT})(?![\w:/-]|[.,]\d)", r"\1 to \2", _I),
    _rule(r"(?<![\w.,-])(\d{4})–(\d{4})(?![\w-])", r"\1 to \2"),
    _rule(r"(?<![\w:.,$€£])(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>[ap])\.? ?m\b\.?", _time, _I),
    _rule(r"(?<![\w:.,$€£])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<half>)(?![\w:])", _time),
    _rule(
        r"(?<![\w.,$€£])(?P<whole>\d+(?:,\d{3})*)(?:[.,](?P<cents>\d\d))?"
        r" ?(?P<after>[$€£](?!\d)|(?:USD|EUR|GBP)\b)",
        _price_before_coin,
    ),
    _rule(r"\b(USD|EUR|GBP|US\$) ?(?=\d)", lambda m: _CODES[m[1]]),
    _rule(r"([$€£])-(?=\d)", r"-\1"),
    _rule(r"(?<![\w)])-(?=[$€£]?\d)", "minus "),
    _rule(
        r"(?P<coin>[$€£]) ?(?P<whole>\d+(?:,\d{3})*)(?P<fraction>\.(?P<cents>\d\d)(?!\d)|\.\d+)?"
        r"(?: ?(?P<scale>hundred|thousand|million|billion|[kKmM]\b|[bB]n)\b)?(?: (?:USD|EUR|GBP)\b)?",
        _price,
    ),
    _rule(r"\b(\d+(?:\.\d+)?)k\b", r"\1 thousand"),
    _rule(r"(?<=\w) ?/ ?hr\b", " per hour"),
    _rule(r"\b(\d+) ?km/h\b", r"\1 kilometers per hour"),
    _rule(r"\b(\d+) ?mph\b", r"\1 miles per hour"),
    _rule(rf"(?<=\w)/(?={_PER}\b)", " per "),
    _rule(r"\b(\d)'(\d{1,2})(?:\"|'')", r"\1 foot \2"),
    _rule(r"(?<![\w-])<=? ?(?=\d)", "less than "),
    _rule(r"(?<![\w-])>=? ?(?=\d)", "more than "),
    _rule(r"(?<=\d) ?%", " percent"),
    _rule(r"° ?([CF])\b", lambda m: " degrees " + {"C": "Celsius", "F": "Fahrenheit"}[m[1]]),
    _rule(r"(?<=\d) ?[x×] ?(?=\d)", " by "),
    _rule(r"(?<=\d) ?\* ?(?=\d)", " times "),
    _rule(rf"(?<![\w.,$€£:/-])(?P<number>\d+(?:[.,]\d+)?) ?(?P<unit>k?m²|{'|'.join(_UNITS)})(?!\w)\.?", _unit),
    _rule(r"#(?=\d|[A-Z]+-?\d)|\bno\. ?(?=\d)", "number ", _I),
    _rule(r"#(?=[^\W\d])", ""),
    _rule(r"\+ ?(?=\d)", " plus "),
    _rule(r"~ ?(?=\d)", "about "),
    # codes: letters and digits in one word
    _rule(
        r"(?<![\w@./'-])(?!\d+(?:ST|ND|RD|TH)\b)(?=[A-Z-]*\d)(?=[\d-]*[A-Z])[A-Z\d]+(?:-[A-Z\d]+)*(?![\w@/'-])",
        _code,
    ),
    _rule(r"(?<![\w@./'-])(?:[A-Za-z]+\d+[A-Za-z]|\d+[A-Za-z]+\d)[A-Za-z\d]*(?![\w@/'-])", _code),
    # abbreviations
    _rule(r"(?<=\d )(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?", lambda m: _month(m) + _stop(m)),
    _rule(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?(?= ?\d)", _month),
    _rule(rf"\b{_DAY}\b\.? ?[-–] ?{_DAY}\b\.?", lambda m: f"{_day(m[1])} to {_day(m[2])}{_stop(m)}"),
    _rule(rf"\b{_DAY}\.(?=\W|$)", lambda m: _day(m[1]) + _stop(m) if len(m[0]) < 7 else m[0]),
    _rule(r"\b(e\.g|i\.e|apt|ext)\.|\b(vs|approx)\b\.?", lambda m: _ABBREVIATIONS[(m[1] or m[2]).lower()], _I),
    _rule(r"\b(min|max)\.(?= ?\d)", lambda m: _ABBREVIATIONS[m[1].lower()], _I),
    _rule(
        r"\b(a\.k\.a|ave|blvd|rd|dept)\.|\b(etc)\b\.?", lambda m: _ABBREVIATIONS[(m[1] or m[2]).lower()] + _stop(m), _I
    ),
    _rule(r"\b(Inc|Ltd|Co|Jr|Sr)\.", lambda m: _ABBREVIATIONS[m[1].lower()] + _stop(m)),
    _rule(r"\bP\.? ?O\. Box\b", "P O Box"),
    _rule(r"\b(Mrs|Mr|Dr|St|Prof|Mt)\.", _title),
    _rule(r"\bw/o\b", "without"),
    _rule(r"\bw/", "with "),
    _rule(r"\bb/c\b", "because"),
    _rule(r"(?<=\d) ?/ ?(?=\d)", " slash "),
    _rule(r"/", " "),
)

_TIDYING: tuple[_Rule, ...] = (
    _rule(r"\s+", " "),
    _rule(r" (?=[,.;:!?])", ""),
    _rule(r"([,;:])(?:[,;:])+", r"\1"),
    _rule(r"^[,;: ]+|,(?=[.!?;:])", ""),
)
