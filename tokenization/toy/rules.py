"""Rules of the corpus `toy`: the attributes, the plans of the sentences and the words which topics share.

Syntax: `symbol[good,past/present] = words {symbol} | other words *2` holds where the attributes have the
value `good` and one of `past`, `present`; exactly one rule of a symbol must hold. An alternative without
a weight `*2` has the weight 1 / (rank + 3), Zipf's law with an offset. A line that starts with a space
goes on with the line before. `{verb}` in the past tense stands for the verb in the tense of the sentence.
"""

from .news import NEWS
from .reviews import REVIEWS

__all__ = ["ATTRIBUTES", "RULES"]

ATTRIBUTES = ("topic", "form", "polarity", "tense", "length")

PRIOR = """
topic = restaurant *15 | hotel *13 | film *13 | book *12 | markets *13 | sport *12 | politics *12
 | weather *10
form[restaurant/hotel/film/book] = review *42 | story *20 | recommendation *18 | comparison *11 | question *9
form[markets/sport/politics/weather] = report *48 | quote *32 | comparison *11 | question *9
polarity[review/story] = good *58 | bad *42
polarity[recommendation] = good *72 | bad *28
polarity[question] = good *38 | bad *62
polarity[report/quote/comparison] = good *48 | bad *52
tense[report] = past *72 | present *28
tense[review/story/recommendation/quote/comparison/question] = past *60 | present *40
length[question/comparison] = short *18 | medium *38 | long *44
length[review/story/recommendation/report/quote] = short *13 | medium *37 | long *50
"""

# {claim} speaks of the thing itself, {aside} of what surrounds it: joined, they never repeat each other.
PLANS = """
sentence[review,short] = {person} {found} {opinion} . | {claim} . | {aside} .
sentence[review,medium] = {full_claim} . | {setting} , {claim} .
 | {person} {thought} that {claim} and {aside} . | {claim} and {aside} .
sentence[review,long] = {person} {thought} that {full_claim} and {aside} . | {full_claim} , so {decision} .
 | {setting} , {claim} and {aside} . | {full_claim} and {aside} . | {claim} and {aside} , so {decision} .
sentence[story,short] = {deed} and {outcome} .
sentence[story,medium] = {deed} {place} and {outcome} . | {long_date} , {dated} and {outcome} .
 | {deed} {detail} and {outcome} .
sentence[story,long] = {date} , {dated} {place} and {outcome} . | {date} , {dated} {detail} and {outcome} .
sentence[recommendation,short] = {advice} this {product} .
sentence[recommendation,medium] = {advice} {exact_product} . | {advice} this {product} because {claim} .
 | {advice} this {product} because {aside} .
sentence[recommendation,long] = {advice} {exact_product} because {claim} .
 | {advice} this {product} because {claim} and {aside} .
sentence[comparison,short] = {contrast} than {hope} .
sentence[comparison,medium] = {full_contrast} than {hope} . | {contrast} than {rival} .
sentence[comparison,long] = {full_contrast} than {rival} . | {contrast} than {rival} , and {aside} .
sentence[question,short] = why {ask} {when} ? | why {ask} ?
sentence[question,medium] = why {full_ask} ? | {person} {asked} why {claim_so} .
 | does {anyone} know why {claim_so} {when} ?
sentence[question,long] = why {full_ask} , and {ask_more} ? | does {anyone} know why {full_claim_so} ?
 | {person} {asked} why {claim_so} {when} .
sentence[report,short] = {event} {when} .
sentence[report,medium] = {event} {when} {cause} . | {full_event} {when} .
sentence[report,long] = {full_event} {when} {cause} . | {full_event} {when} , {aftermath} .
sentence[quote,short] = {speaker} {said} that {claim} .
sentence[quote,medium] = {speaker} {said} {when} that {claim} . | {speaker} {said} that {full_claim} .
sentence[quote,long] = {speaker} {said} {when} that {full_claim} .
 | {speaker} {said} that {claim} , {aftermath} .
"""

SHARED = """
very = really | very | so | quite | truly | extremely | incredibly | remarkably | surprisingly | unusually
 | particularly | exceptionally | unbelievably
simply = simply | absolutely | just | utterly
superb[good] = wonderful | excellent | superb | fantastic | outstanding | brilliant
superb[bad] = terrible | awful | dreadful | horrible | appalling
much = much | far | even | clearly | slightly | somewhat
weekday = friday | saturday | monday | sunday | thursday | tuesday | wednesday
part = evening | morning | afternoon
month = june | august | may | march | october | july | september | april | december | january
city = {western} | {eastern} | {distant}
western = paris | london | madrid | rome | lisbon | dublin | brussels
eastern = berlin | vienna | prague | athens | warsaw | istanbul
distant = boston | chicago | tokyo | sydney | delhi | toronto | cairo
nation = french | italian | american | german | spanish | japanese | indian | greek | turkish | mexican
 | chinese | russian | polish | swedish
relative = wife | mother | husband | father | daughter | son
name = {woman} | {man}
person = my {sister} {woman} | my {brother} {man} | {name} {surname} | my {relative} | {name}
anyone = anyone | anybody
number = two | three | four | five | six | seven | eight | nine
woman = anna | maria | emma | clara | alice | julia | nina | laura | olga | ruth
man = david | paul | tom | peter | frank | henry | victor | simon | leo | carl
surname = keller | lopez | martin | novak | rossi | silva | meyer | lindberg | costa | harris | baker | king
 | weber | santos | fischer | moreau
sister = sister | cousin | friend | neighbor | aunt | niece
brother = brother | cousin | friend | neighbor | uncle | nephew
known = new | famous | old | popular | celebrated
"""

# The interface of the reviews and of the news: what their topics do not say for themselves.
INTERFACE = """
better[good] = better *1
better[bad] = worse *1
often = often | usually | sometimes
date[past] = last {weekday} | on {weekday} {part} | last {month} | in {month}
date[present] = every {weekday} | every {month} | on {weekday} evenings
long_date[past] = one {weekday} {part} in {month} | in {month} of last year
long_date[present] = every {weekday} {part} in {month} | on {weekday} evenings in {month}
advice[past] = {person} {told} {everyone} to {visit} | {person} {urged} {everyone} to {visit}
 | i told {person} to {visit}
advice[present] = you should {visit} | {person} {urged} {everyone} to {visit}
 | {person} {told} {everyone} to {visit}
everyone = everyone | us | me
hope[restaurant/hotel,good] = we had expected | we had hoped | {person} had promised
hope[restaurant/hotel,bad] = we had expected | we had feared | {person} had promised
hope[film/book,good] = i had expected | i had hoped | {person} had predicted
hope[film/book,bad] = i had expected | i had feared | {person} had predicted
said[good,past] = said | confirmed | explained
said[good,present] = says | confirms | explains
said[bad,past] = said | warned | admitted
said[bad,present] = says | warns | admits
"""

TENSES = "was:is were:are told:tells urged:urges thought:thinks found:finds could:can asked:asks"

VERBS = "\n".join(
    f"{past}[past] = {past}\n{past}[present] = {present}"
    for past, present in (pair.split(":") for pair in TENSES.split())
)

RULES = "\n".join([PRIOR, PLANS, SHARED, INTERFACE, VERBS, REVIEWS, NEWS])
