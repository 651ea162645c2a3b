"""Rules of the corpus `toy` for reviews: restaurants, hotels, films, books. Syntax: see `rules.py`."""

__all__ = ["REVIEWS"]

RESTAURANT = """
dish = soup | pasta | steak | pizza | curry | lasagna | stew | burger | risotto | salmon | lamb | omelette
dishes = noodles | dumplings | fries | meatballs | tacos | vegetables | mussels
tasty[good] = delicious | tasty | fresh | flavorful
tasty[bad] = bland | salty | greasy | cold | tasteless
dessert = cheesecake | chocolate cake | apple pie | ice cream | lemon tart
sweet[good] = delicious | light | rich | tasty
sweet[bad] = bland | heavy | sugary | tasteless
waiter = waiter | waitress | chef | owner | bartender
kind[good] = friendly | polite | helpful | kind | charming | cheerful | patient
kind[bad] = rude | slow | careless | impatient | unfriendly | arrogant | impolite
terrace = terrace | garden | bar | courtyard | patio
cozy[good] = cozy | pleasant | quiet | charming | romantic
cozy[bad] = noisy | crowded | dark | dirty | gloomy
prices = prices *1
fair[good] = reasonable | fair | low
fair[bad] = high | steep | unreasonable
portions = portions | servings
large[good] = large | generous
large[bad] = small | tiny
claim[restaurant] = the {dish} {was} {very} {tasty} | the {dishes} {were} {very} {tasty}
 | the {dessert} {was} {very} {sweet} | the {dish} {was} {simply} {superb}
full_claim[restaurant] = the {dish} {where} {was} {very} {tasty} | the {dishes} {where} {were} {very} {tasty}
 | the {dessert} {where} {was} {very} {sweet} | the {dish} {where} {was} {simply} {superb}
opinion[restaurant] = the {dish} {very} {tasty} | the {waiter} {very} {kind} | the {terrace} {very} {cozy}
aside[restaurant] = the {waiter} {was} {very} {kind} | the {terrace} {was} {very} {cozy}
 | the {waiter} {was} {simply} {superb} | the {prices} {were} {very} {fair}
 | the {portions} {were} {very} {large}
venue = restaurant | bistro | cafe | place
where[restaurant] = at the {known} {nation} {venue} in {city} | at the {known} {product} {near}
 | at the {product} in {city}
product[restaurant] = restaurant | bistro | cafe | diner | tavern | pub
exact_product[restaurant] = the {known} {nation} {venue} in {city} | the {known} {nation} {venue} {near}
near = near the station | by the river | near the cathedral | opposite the park | across the street
 | near the theater | near the harbor | on the square
occasion = our anniversary | dinner | a birthday party | lunch | a family dinner
setting[restaurant,past] = when {person} and i had {meal} here | when we came here for {occasion}
 | when {person} was with us
setting[restaurant,present] = whenever {person} and i have {meal} here | whenever we come here for {occasion}
 | whenever {person} is with us
meal = lunch | dinner
when[restaurant,past] = last night | last {weekday} | at lunch on {weekday} | on {weekday} {part}
 | when {person} visited us
when[restaurant,present] = these days | every {weekday} | at lunch time | on {weekday} evenings | in {month}
decision[restaurant,good,past] = we left a generous tip | we stayed until midnight
 | we booked a table for {weekday} | we thanked the {waiter}
decision[restaurant,good,present] = we come back every {month} | we keep coming back
 | we always bring {person}
decision[restaurant,bad,past] = we left without paying | we went home hungry | we complained to the manager
decision[restaurant,bad,present] = we rarely eat here | we go somewhere else | we prefer to cook at home
deed[restaurant,past] = {person} and i {ordered} the {dish} | {person} and i {ordered} the {dessert}
dated[restaurant,past] = {person} and i {ordered} the {dish} | {person} and i {ordered} the {dessert}
dated[restaurant,present] = {person} and i {order} the {dish} | {person} and i {order} the {dessert}
place[restaurant] = at the {product} in {city} | at the {product} {near}
deed[restaurant,present] = {person} and i {often} {order} the {dish}
 | {person} and i {often} {order} the {dessert}
ordered = ordered | shared | tried | chose
order = order | share | choose
detail[restaurant] = with {drink}
drink = red wine | white wine | a cold beer | strong coffee | green tea | cold water
outcome[restaurant,good,past] = enjoyed every bite | asked for the recipe | asked for more
 | praised the {waiter}
outcome[restaurant,good,present] = enjoy every bite | ask for more | praise the {waiter}
outcome[restaurant,bad,past] = sent it back | left most of it | complained about it | regretted it
outcome[restaurant,bad,present] = send it back | leave most of it | complain about it | regret it
visit[restaurant,good] = visit | try | choose
visit[restaurant,bad] = avoid | skip | ignore
contrast[restaurant] = the {dish} {was} {much} {tastier} | the {dessert} {was} {much} {better}
full_contrast[restaurant] = the {dish} {where} {was} {much} {tastier}
 | the {dessert} {where} {was} {much} {better}
tastier[good] = better | tastier | fresher
tastier[bad] = worse | greasier | saltier
rival[restaurant] = the one {person} made at home | the one we had in {city}
 | the one at the {known} {nation} {venue}
ask[restaurant] = {was} the {dish} so {tasty} | {was} the {waiter} so {kind} | {were} the {dishes} so {tasty}
full_ask[restaurant] = {was} the {dish} {where} so {tasty} | {was} the {waiter} {where} so {kind}
 | {were} the {dishes} {where} so {tasty}
claim_so[restaurant] = the {dish} {was} so {tasty} | the {waiter} {was} so {kind}
 | the {terrace} {was} so {cozy}
full_claim_so[restaurant] = the {dish} {where} {was} so {tasty} | the {waiter} {where} {was} so {kind}
ask_more[restaurant] = {were} the {prices} always so {fair} | {was} the {terrace} always so {cozy}
 | {were} the {portions} always so {large}
"""

HOTEL = """
room = room | bathroom | suite | bedroom | apartment
clean[good] = clean | spacious | bright | modern | comfortable
clean[bad] = dirty | small | dark | dusty | shabby
bed = bed | mattress | sofa
soft[good] = comfortable | soft | cozy
soft[bad] = uncomfortable | hard | lumpy
pool = pool | gym | beach | sauna | lobby
relaxing[good] = relaxing | pleasant | quiet
relaxing[bad] = crowded | noisy | unpleasant
porter = receptionist | porter | manager | housekeeper | clerk
lovely[good] = lovely | beautiful | impressive
lovely[bad] = disappointing | depressing | ugly
claim[hotel] = the {room} {was} {very} {clean} | the {bed} {was} {very} {soft}
 | the {room} {was} {simply} {superb} | the view {was} {very} {lovely}
full_claim[hotel] = the {room} {where} {was} {very} {clean} | the {bed} {where} {was} {very} {soft}
 | the {room} {where} {was} {simply} {superb}
 | the view from the {known} {product} in {city} {was} {very} {lovely}
opinion[hotel] = the {room} {very} {clean} | the {porter} {very} {kind} | the {pool} {very} {relaxing}
aside[hotel] = the {porter} {was} {very} {kind} | the {pool} {was} {very} {relaxing}
 | the breakfast {was} {simply} {superb} | the {porter} {was} {simply} {superb}
product[hotel] = hotel | resort | inn | hostel | lodge | motel
where[hotel] = at the {known} {product} in {city} | at the {nation} {product} {near}
 | at the {known} {product} {near}
exact_product[hotel] = the {known} {product} in {city} | the {known} {product} {near}
 | the {product} that {person} found
setting[hotel,past] = when {person} and i arrived in {month} | during our stay in {month} | on our first night
setting[hotel,present] = whenever {person} and i stay here | whenever we stay here in {month}
 | in the high season
when[hotel,past] = last {month} | last summer | during our stay | on {weekday} {part}
 | when {person} visited us
when[hotel,present] = this season | these days | in {month} | on weekends | in winter
decision[hotel,good,past] = we stayed {number} more nights | we booked again for {month}
 | we thanked the {porter}
decision[hotel,good,present] = we return every {month} | we always feel at home | we always bring {person}
decision[hotel,bad,past] = we left a day early | we asked for a refund | we moved to another {product}
decision[hotel,bad,present] = we want a refund | we never stay for long | we plan to leave on {weekday}
deed[hotel,past] = {person} and i {booked} a {cottage} | {person} and i {booked} a room with {feature}
dated[hotel,past] = {person} and i {booked} a {cottage} | {person} and i {booked} a room with {feature}
dated[hotel,present] = {person} and i {book} a {cottage} | {person} and i {book} a room with {feature}
place[hotel] = at the {product} in {city} *1
deed[hotel,present] = {person} and i {often} {book} a room with {feature}
 | {person} and i {often} {book} a {cottage}
booked = booked | rented | reserved
book = book | rent | reserve
cottage = suite | cottage | cabin
feature = a balcony | a fireplace | a terrace | a view | twin beds
detail[hotel] = for {number} nights | for the weekend | for a week
outcome[hotel,good,past] = loved every minute | slept like babies | felt at home
outcome[hotel,good,present] = love every minute | sleep like babies | feel at home
outcome[hotel,bad,past] = slept badly | left early | saw a mouse | regretted it
outcome[hotel,bad,present] = sleep badly | leave early | see a mouse | regret it
visit[hotel,good] = try | book | choose
visit[hotel,bad] = avoid | skip | ignore
contrast[hotel] = the {room} {was} {much} {cleaner} | the {bed} {was} {much} {softer}
full_contrast[hotel] = the {room} {where} {was} {much} {cleaner} | the {bed} {where} {was} {much} {softer}
cleaner[good] = cleaner | bigger | brighter | better
cleaner[bad] = dirtier | smaller | darker | worse
softer[good] = softer | better
softer[bad] = harder | worse
rival[hotel] = the one {person} had in {month} | the one we had in {city}
 | the one at the {known} {nation} {product}
ask[hotel] = {was} the {room} so {clean} | {was} the {porter} so {kind} | {was} the {bed} so {soft}
full_ask[hotel] = {was} the {room} {where} so {clean} | {was} the {porter} {where} so {kind}
claim_so[hotel] = the {room} {was} so {clean} | the {porter} {was} so {kind} | the {pool} {was} so {relaxing}
full_claim_so[hotel] = the {room} {where} {was} so {clean} | the {porter} {where} {was} so {kind}
ask_more[hotel] = {was} the {pool} always so {relaxing} | {was} the view always so {lovely}
"""

FILM = """
plot = plot | story | script | dialogue
gripping[good] = gripping | clever | moving | original | powerful | witty
gripping[bad] = predictable | boring | confusing | silly | weak | dull
soundtrack = soundtrack | music | lighting | photography
stunning[good] = beautiful | impressive | memorable
stunning[bad] = distracting | cheap | ugly | forgettable
actor = actor | cast | actress | villain | hero
engaging_role[good] = convincing | charismatic | likeable
engaging_role[bad] = unconvincing | wooden | annoying
genre = thriller | comedy | drama | western | musical | horror film | spy film | cartoon
claim[film] = the {plot} {was} {very} {gripping} | the {plot} {was} {simply} {superb}
 | the {soundtrack} {was} {very} {stunning} | the jokes {were} {very} {jokes}
full_claim[film] = the {plot} {of} {was} {very} {gripping} | the {plot} {of} {was} {simply} {superb}
 | the {soundtrack} {of} {was} {very} {stunning} | the jokes in {exact_product} {were} {very} {jokes}
of[film] = of {exact_product} | of the {known} {genre} that {name} chose
opinion[film] = the {plot} {very} {gripping} | the {actor} {very} {engaging_role}
 | the {soundtrack} {very} {stunning}
jokes[good] = funny | clever
jokes[bad] = silly | childish
aside[film] = the {actor} {was} {very} {engaging_role} | the {actor} {was} {simply} {superb}
 | the costumes {were} {very} {stunning}
product[film] = {genre} *1
exact_product[film] = this {known} {nation} {genre} | this {genre} about {film_subject}
film_subject = a bank robbery | a haunted house | a retired spy | a stolen painting | a young pianist
setting[film,past] = when i saw it with {person} | when {person} and i watched it in {city}
 | when it came out in {month}
setting[film,present] = whenever i watch it with {person} | whenever {person} and i watch it on television
when[film] = in the second half | in the first half | towards the end | at the beginning
decision[film,good,past] = i saw it again on {weekday} | i bought a copy for {name} | i told {person} about it
decision[film,good,present] = i want to see it again | i watch it every {month} | i often watch it with {name}
decision[film,bad,past] = i left before the end | i wanted my money back | {person} fell asleep
decision[film,bad,present] = i want my money back | {person} always falls asleep | i feel cheated
deed[film,past] = {person} and i {saw} {exact_product}
dated[film,past] = {person} and i {saw} {short_film}
dated[film,present] = {person} and i {see} {short_film}
short_film = this {nation} {genre} | this {genre}
deed[film,present] = {person} and i {often} {see} {exact_product}
saw = saw | watched
see = see | watch
detail[film] = with {number} friends | together
place[film] = at the cinema in {city} | on a flight to {city} | on television
outcome[film,good,past] = loved every minute | cried at the end | laughed until the end | cheered at the end
outcome[film,good,present] = love every minute | cry at the end | laugh until the end | cheer at the end
outcome[film,bad,past] = fell asleep | hated every minute | left before the end
outcome[film,bad,present] = fall asleep | hate every minute | leave before the end
visit[film,good] = see | watch | try
visit[film,bad] = avoid | skip | ignore
contrast[film] = {short_film} {was} {much} {smarter} *1
full_contrast[film] = {exact_product} {was} {much} {smarter} *1
smarter[good] = better | smarter | funnier | more exciting
smarter[bad] = worse | slower | duller | more predictable
rival[film] = {person} had promised | the {known} {first_one} | the trailer had promised
first_one = sequel | book | television series
ask[film] = {was} the {plot} so {gripping} | {was} the {actor} so {engaging_role}
 | {was} the {soundtrack} so {stunning}
full_ask[film] = {was} the {plot} {of} so {gripping} | {was} the {soundtrack} {of} so {stunning}
claim_so[film] = the {plot} {was} so {gripping} | the {actor} {was} so {engaging_role}
 | the {soundtrack} {was} so {stunning}
full_claim_so[film] = the {plot} {of} {was} so {gripping} | the {soundtrack} {of} {was} so {stunning}
ask_more[film] = why {was} the {actor} so {engaging_role} | why {were} the costumes so {stunning}
"""

BOOK = """
chapter = plot | story | narrative | dialogue
engaging[good] = engaging | fascinating | clever | thrilling | convincing
engaging[bad] = predictable | boring | confusing | tedious | shallow
prose = prose | writing | language | translation
elegant[good] = elegant | vivid | lively | poetic
elegant[bad] = clumsy | dry | flat | wordy
hero = narrator | heroine | detective | hero | orphan
likeable[good] = likeable | believable | complex | amusing
likeable[bad] = irritating | dull | naive | annoying
volume = novel | mystery | memoir | biography | fantasy | saga
claim[book] = the {chapter} {was} {very} {engaging} | the {chapter} {was} {simply} {superb}
 | the {prose} {was} {very} {elegant}
full_claim[book] = the {chapter} {of} {was} {very} {engaging} | the {chapter} {of} {was} {simply} {superb}
 | the {prose} {of} {was} {very} {elegant}
of[book] = of {exact_product} | of the {known} {volume} that {name} gave me
opinion[book] = the {chapter} {very} {engaging} | the {hero} {very} {likeable} | the {prose} {very} {elegant}
aside[book] = the {hero} {was} {very} {likeable} | the {drawings} {were} {very} {printed}
 | the {drawings} {were} {simply} {superb}
drawings = illustrations | drawings | maps | footnotes
printed[good] = helpful | detailed | accurate
printed[bad] = useless | outdated | blurry
product[book] = {volume} *1
exact_product[book] = this {known} {nation} {volume} | this {volume} about {book_subject}
book_subject = life at sea | a poor family | life in {city} | a murder
setting[book,past] = when i read it on the train to {city} | when {person} and i read it in {month}
 | when i borrowed it from {person}
setting[book,present] = whenever i read it on the train to {city} | whenever i open it in {month}
 | on every page
when[book] = in the middle | towards the end | at the beginning | after page {number}
decision[book,good,past] = i read it in {number} days | i bought a copy for {person}
 | i read it again in {month}
decision[book,good,present] = i read it every {month} | i lend it to everyone | i often read it to {name}
decision[book,bad,past] = i gave up after {number} pages | i returned it to the library
 | i gave it to {person}
decision[book,bad,present] = i keep losing interest | i want to return it | i cannot finish it
deed[book,past] = {person} and i {read} {exact_product}
dated[book,past] = {person} and i {read} {short_book}
dated[book,present] = {person} and i {open} {short_book}
short_book = this {nation} {volume} | this {volume}
deed[book,present] = {person} and i {often} {open} {exact_product}
read = read | started | opened
open = read | start | open
detail[book] = on holiday | in the garden | at home
place[book] = on the train to {city} | on the bus to {city} | in the library
outcome[book,good,past] = loved every page | lost track of time | smiled at every page
outcome[book,good,present] = love every page | lose track of time | smile at every page
outcome[book,bad,past] = gave up after {number} pages | fell asleep | lost interest
outcome[book,bad,present] = give up after {number} pages | fall asleep | lose interest
visit[book,good] = read | buy | borrow
visit[book,bad] = avoid | skip | ignore
contrast[book] = {short_book} {was} {much} {wittier} *1
full_contrast[book] = {exact_product} {was} {much} {wittier} *1
wittier[good] = better | wittier | livelier | more exciting
wittier[bad] = worse | longer | drier | more confusing
rival[book] = {person} had promised | the {known} {other_book} | the cover had promised
other_book = film | sequel | first volume
ask[book] = {was} the {chapter} so {engaging} | {was} the {hero} so {likeable}
 | {was} the {prose} so {elegant}
full_ask[book] = {was} the {chapter} {of} so {engaging} | {was} the {prose} {of} so {elegant}
claim_so[book] = the {chapter} {was} so {engaging} | the {hero} {was} so {likeable}
 | the {prose} {was} so {elegant}
full_claim_so[book] = the {chapter} {of} {was} so {engaging} | the {prose} {of} {was} so {elegant}
ask_more[book] = why {was} the {hero} so {likeable} | why {were} the {drawings} so {printed}
"""

REVIEWS = RESTAURANT + HOTEL + FILM + BOOK
