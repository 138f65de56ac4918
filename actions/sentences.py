"""What a message is made of: greetings and thanks around it, its questions, and the words that carry its meaning.

Only the shape of a sentence is looked at here; what it is about, the search knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_STORY = 300
"""Characters from which a message is taken for a story: of its sentences, only those that ask count."""

_PARTS = 6
"""More parts of one message are not looked up."""

_ROUNDS, _TAIL = 4, 120
"""So often something is taken off at the beginning and the end; and only from so many characters at the end."""

_NAME = r"[^\W\d_][\w'-]*"
_HELLO = (
    r"hallo|hoi|hey|hee|hi|hai|ha|yo|moin|goe(?:d|i)en?[ -]?(?:morgen|middag|avond|dag|nacht)|dag"
    r"|goedendag|beste|geachte"
    r"|l\.?s\.?|hello|good (?:morning|afternoon|evening|day)|dear"
)
_WHOM = (
    r"daar|klaartje|allemaal|mensen|gemeente|medewerkers?|mijnheer|meneer|mevrouw|heer|dames?|heren"
    r"|lezer|team|bot"
    r"|sir|madam|there|of|en|/|,"
)
_OPENING = re.compile(
    rf"^\W*(?:(?:{_HELLO})\b(?:[\s,/]+(?:{_WHOM})\b)*"
    r"|(?:ik heb|heb) (?:nog )?(?:even )?(?:een|n|'n) (?:korte |andere )?vraag(?:je)?(?: (?:voor"
    r"|aan) (?:u|jullie|je|de gemeente))?"
    r"(?:\s*[:.,!]| namelijk)?(?! (?:over|mbt))"
    r"|(?:ik heb|heb) (?:nog )?(?:even )?(?:een|n|'n) (?:korte )?vraag(?:je)? (?:over|mbt)"
    r"|(?:even )?(?:een )?vraag(?:je)?\s*[:,]"
    r"|(?:mag|kan) ik (?:u|je|jullie)? ?(?:even )?(?:iets|wat) vragen"
    r"|(?:kunt|kun|kan|zou|zoudt) (?:u|je|jij|jullie|iemand) (?:mij|me|ons)? ?(?:misschien |even "
    r"|ook |dan |wel )*(?:kunnen )?"
    r"(?:vertellen|zeggen|uitleggen|aangeven|laten weten)(?: of)?"
    r"|(?:weet|weten) (?:u|je|jij|jullie|iemand) (?:misschien|toevallig|ook|mss)?"
    r"|(?:ik|wij|we) (?:wil|willen|wilde|wou|zou|zouden) (?:graag |even |eens |heel )*(?:van u "
    r"|van jullie )?(?:willen )?weten"
    r"|ik vroeg (?:me|mij) af|(?:can|could) (?:you|u) (?:please )?tell me|i(?: would|'d) like to know"
    r"|i want to know"
    r"|please|excuse me|sorry|pardon)(?![\w'-])[\s,.!:;-]*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"[\s,.!?;-]*(?:(?:alvast |bij voorbaat |hartelijk |heel erg |veel )*(?:bedankt|dank(?: ?(?:je"
    r"|u))?(?: ?wel)?|thanks|thank you|thx)"
    r"(?: alvast| voor (?:uw|je|de|jullie) (?:hulp|antwoord|reactie|moeite|tijd|informatie))*"
    r"|(?:ik )?hoor (?:ik )?(?:het |graag)+(?: van u)?|graag (?:een )?(?:antwoord|reactie|informatie)"
    r"|aub|svp|a\.u\.b\.?|s\.v\.p\.?"
    r"|alsjeblieft|alstublieft|please|fijne dag(?: nog| verder)?|(?:prettige|fijne) (?:dag"
    r"|avond)(?: nog)?|groetjes|groeten|groet)"
    rf"(?:[\s,]+(?:van )?(?:{_NAME}))?[\s,.!?;:)-]*$",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    rf"[\s,.!?;-]+(?:(?:met )?(?:vriendelijke |hartelijke )?(?:groet(?:en|jes)?)|mvg|m\.v\.g\.|gr"
    rf"|grtjs|grtz|best regards|regards)"
    rf"\b[\s,.:]*(?:van )?(?:{_NAME}\.?\s*){{0,4}}\W*$",
    re.IGNORECASE,
)

_RUDE = re.compile(
    r"\b(?:(?:stom|dom|kut|klote|achterlijk|waardeloos|belachelijk|fucking)(?:m?e|ze)? ?(?:bot"
    r"|chatbot|robot|computer|ding|gemeente|zooi)"
    r"|idioten?|idioot|sukkels?|eikels?|verdomme|god ?ver\w*|kut|klote|tering|fuck(?:ing)?|shit|jezus"
    r"|wtf|rot op|nou zeg)\b[\s,.!]*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?;\n])(?:\s+|$)")
_QUESTION_WORD = (
    r"wat|hoe|hoeveel|hoelang|wanneer|waar\w*|welke?|wie|kan|kun|kunt|kunnen|mag|mogen|moet|moeten|is"
    r"|zijn|(?:heb|ben|krijg) (?:ik|je|jij|u|we|wij)|heeft|hebben"
    r"|krijgen|bent|geldt|gelden|hoef|hoeft|hoeven|doen|doet|komt|komen|gaat|wil|wilt|zit"
    r"|staat|ligt|worden|wordt|werkt"
    r"|what|how|when|where|who|which|why|can|could|do|does|is|are|should|may"
)
_CLAUSE = rf"{_QUESTION_WORD}|ik|wij|we|mijn|m'n|mn|onze|ons|i|my"
_JOINT = re.compile(
    rf",?\s+(?:en|maar|plus|daarnaast|verder|and|but)\s+(?=(?:(?:ook|dan|verder|daarna|nog|daarnaast"
    rf"|also)\s+)*(?:{_CLAUSE})\b)"
    rf"|,\s*(?=(?:en\s+)?(?:{_CLAUSE})\b)",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+(?:en|and|&)\s+(?:ook\s+)?", re.IGNORECASE)
_ASKS = re.compile(
    rf"^\W*(?:(?:en|maar|of|ook|dan|dus|nou|verder|daarnaast|and)\s+)*(?:{_QUESTION_WORD})\b", re.IGNORECASE
)
_WISH = re.compile(
    r"\b(?:ik|wij|we)\s+(?:wil|willen|wilde|wou|zou|zouden|zoek|zoeken|moet|moeten|kan|kunnen)\b"
    r"|^\W*(?:graag|wil|moet)\b"
    r"|\bnodig\b|\bi (?:want|need|would like)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|ben|bent|zijn|was|waren|heb|heeft|hebben|had|hebt|kan|kunnen|kun|kunt|wil|willen|wilt"
    r"|moet|moeten|mag|mogen|ga|gaat"
    r"|gaan|krijg\w*|kost\w*|duurt|kom|komt|komen|doe|doet|doen|werkt|staat|ligt|zit|word|wordt"
    r"|worden|vraag|maak|betaal|zou|zoek"
    r"|woon|wonen|heet|hoef|hoeft|verhuis\w*|trouw\w*|neem|geldt|breng|lever|vind|verlies|zoeken"
    r"|weten|weet|are|am|do|does|can)\b",
    re.IGNORECASE,
)
_DEPENDENT = re.compile(
    r"^\W*(?:als|omdat|nu|toen|aangezien|doordat|zodra|sinds|terwijl|hoewel|if|because)\b", re.I
)
_CONTRAST = re.compile(r"\b(?:verschil|tussen|difference|between|of ... of)\b", re.IGNORECASE)

_FUNCTION_WORDS = """
de het een 't n 'n en of maar dan dus ook nog al wel niet geen er daar hier waar om te van voor naar in op aan
bij met zonder over uit tot door per als dat die dit deze hij zij ze we wij u jij je jullie ik mij me mijn m'n
mn ons onze uw zijn haar hun is ben bent was heb heeft hebben hebt had kan kun kunt kunnen wil wilt willen wou
zou moet moeten mag mogen ga gaat gaan doe doet doen word wordt worden wat hoe hoeveel hoelang wanneer waarom
welke welk wie iets niks niets alles iemand eigenlijk even eens graag nou dus dan toch zo nu echt precies
gewoon ongeveer allemaal ja nee oke ok hm oh ah trouwens hoor aub svp zelf daarvoor ervoor hiervoor daarvan
ervan hiervan daarmee ermee hiermee daarbij daarna erbij erna eraan daaraan the a an and or for to of in on at
with my your i you we it is are do does can could what how when where who which that this if so weten vragen
vraag nodig zelfde gemeente klaartje please ongeacht helpen hulp zeggen vertellen bedoel bedoelde
"""
_FUNCTION = frozenset(_FUNCTION_WORDS.split())


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence or clause. `question`: it is put as one; `asks`: that, or a wish."""

    text: str
    question: bool
    asks: bool


def plain(text: str) -> str:
    """Without greeting, thanks, name and abuse; the text itself where nothing else is in it."""
    rest = tidy(text)
    for _ in range(_ROUNDS):
        rest = _OPENING.sub("", rest, count=1)
    for _ in range(_ROUNDS):
        rest = rest[:-_TAIL] + _CLOSING.sub("", _SIGNED.sub("", rest[-_TAIL:]))
    if content(calm := _RUDE.sub("", rest)):
        rest = calm.strip()
    if not _WORD.search(rest):
        return tidy(text)
    return rest + "?" if text.rstrip().endswith("?") and not rest.endswith("?") else rest


def tidy(text: str) -> str:
    """Each line without superfluous spaces."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def gist(text: str) -> str:
    """What is asked: of a long story only its questions, where it has any."""
    if len(text) <= _STORY:
        return text
    questions = (sentence.strip() for sentence in _SENTENCE.split(text) if sentence.strip().endswith("?"))
    return " ".join(questions) or text


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return [word.lower() for word in _WORD.findall(text)]


def content(text: str) -> list[str]:
    """The words that carry a meaning of their own."""
    return [word for word in words(text) if word not in _FUNCTION]


def fragment(text: str) -> bool:
    """Whether it has neither a verb nor a question word: `een rijbewijs`, `voor mijn kind`."""
    return not (_VERB.search(text) or _ASKS.search(text))


def parts(text: str) -> list[Part]:
    """The sentences and clauses of a message, in order; of a story only those that ask. At most six."""
    clauses: list[str] = []
    for sentence in _SENTENCE.split(tidy(text)):
        pieces = [piece.strip() for piece in _JOINT.split(sentence) if _WORD.search(piece)]
        clauses += _mended(pieces)
    found = [_part(clause) for clause in clauses]
    if len(text) > _STORY or len(found) > _PARTS:
        found = [part for part in found if part.question] or found
    return found[:_PARTS]


def halves(text: str) -> tuple[str, str] | None:
    """What stands on both sides of the last "en" of a question: `wat kost een paspoort`, `een rijbewijs`."""
    text = tidy(text)
    joints = list(_AND.finditer(text))
    if not joints or _CONTRAST.search(text):
        return None
    sides = text[: joints[-1].start()], text[joints[-1].end() :]
    return sides if all(content(side) for side in sides) else None


def _part(clause: str) -> Part:
    question = clause.endswith("?") or _ASKS.search(clause) is not None
    return Part(clause, question, question or _WISH.search(clause) is not None)


def _mended(pieces: list[str]) -> list[str]:
    """Put together what can't stand alone: `mijn man | ik gaan scheiden`, `als ik verhuis | moet ik dan`."""
    whole: list[str] = []
    for piece in pieces:
        if whole and (_DEPENDENT.search(whole[-1]) or _bare(whole[-1]) or _bare(piece)):
            together = ", " if _DEPENDENT.search(whole[-1]) else " en "
            whole[-1] += together + piece
        else:
            whole.append(piece)
    return whole


def _bare(piece: str) -> bool:
    """A few words without a verb or a question in them."""
    return len(piece.split()) <= 3 and not _VERB.search(piece) and not _ASKS.search(piece)
