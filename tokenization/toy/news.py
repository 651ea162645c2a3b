"""Rules of the corpus `toy` for news: markets, sport, politics, weather. Syntax: see `rules.py`."""

__all__ = ["NEWS"]

MARKETS = """
company = airline | bank | retailer | carmaker | insurer | brewer | chipmaker | shipbuilder
commodity = oil | gold | copper | wheat | coffee | silver | sugar
currency = dollar | euro
other_currency = pound | yen | peso | rupee
fell[good] = rose | climbed | jumped | advanced | surged
fell[bad] = fell | dropped | slid | tumbled | sank
falling[good] = rising | climbing | advancing
falling[bad] = falling | dropping | sliding
shares_fell[past] = {fell} *1
shares_fell[present] = are {falling} *1
price_fell[past] = {fell} *1
price_fell[present] = is {falling} *1
sharply = by {number} percent | sharply | again | unexpectedly
event[markets] = shares of the {nation} {company} {shares_fell} {sharply}
 | the price of {commodity} {price_fell} {sharply} in {city} | the {currency} {price_fell} {sharply} in {city}
full_event[markets] = shares of the {private} {nation} {company} {shares_fell} {sharply} in {city}
 | the {currency} {price_fell} {sharply} against the {other_currency} in {city}
private = private | large | leading | famous
when[markets,past] = on {weekday} | last {weekday} | on {weekday} {part} | in {month} | last week
when[markets,present] = this week | today | in early trading | this {part} | this {month}
cause[markets,good] = after {nation} banks cut interest rates | after {trader} raised their forecast
 | after exports to {city} grew by {number} percent | after demand in {city} increased
cause[markets,bad] = after {nation} banks raised interest rates | after {trader} cut their forecast
 | after exports to {city} fell by {number} percent | after demand in {city} weakened
trader = {nation} analysts | {nation} investors | {nation} brokers
aftermath[markets,good,past] = and {trader} {bought} more
aftermath[markets,good,present] = and {trader} are {buying} more
bought = bought | ordered | wanted
buying = buying | ordering
aftermath[markets,bad,past] = and {trader} {feared} more losses
aftermath[markets,bad,present] = and {trader} {fear} more losses
feared = feared | expected | predicted
fear = fear | expect | predict
claim[markets] = the outlook for the {nation} {company} {was} {very} {bright}
 | demand for {nation} {goods} {was} {very} {strong}
goods = cars | wine | steel | cheese | machines | toys
full_claim[markets] = the outlook for the {private} {nation} {company} {was} {very} {bright}
 | demand for {nation} {goods} in {city} {was} {very} {strong}
bright[good] = bright | promising | favorable
bright[bad] = bleak | uncertain | worrying
strong[good] = strong | healthy | stable
strong[bad] = weak | sluggish | low
speaker[markets] = {nation} analyst {name} {surname} | {nation} broker {name} {surname}
 | an economist in {city}
contrast[markets] = the profits of the {nation} {company} {were} {much} {higher}
 | sales of {nation} {goods} {were} {much} {higher}
full_contrast[markets] = the profits of the {private} {nation} {company} {were} {much} {higher}
 | sales of {nation} {goods} in {city} {were} {much} {higher}
higher[good] = higher | better | stronger
higher[bad] = lower | worse | weaker
hope[markets] = {trader} had predicted | {trader} had expected
rival[markets] = in {month} last year | before the {nation} election | before the crisis
aside[markets] = the mood in {city} {was} {very} {bright_mood}
bright_mood[good] = hopeful | cheerful
bright_mood[bad] = nervous | gloomy
ask[markets] = {were} shares of the {nation} {company} {falling} so {fast}
 | {was} the price of {commodity} {falling} so {fast}
full_ask[markets] = {were} shares of the {private} {nation} {company} {falling} so {fast}
 | {was} the price of {commodity} {falling} so {fast} in {city}
claim_so[markets] = shares of the {nation} {company} {were} {falling} so {fast}
 | the price of {commodity} {was} {falling} so {fast}
full_claim_so[markets] = shares of the {private} {nation} {company} {were} {falling} so {fast}
 | the price of {commodity} {was} {falling} so {fast} in {city}
fast = fast | quickly | suddenly
ask_more[markets] = what {were} {trader} doing | who {was} {trading} in {city}
trading[good] = buying | investing
trading[bad] = selling | leaving
"""

SPORT = """
team = tigers | eagles | lions | wolves | bears | hawks | sharks
other = rangers | rovers | giants | pirates | knights | saints
beat[good,past] = beat | defeated | outplayed
beat[good,present] = are beating | are leading
beat[bad,past] = lost to | fell to
beat[bad,present] = are losing to | are trailing
goals = one goal | {number} goals | {number} points
event[sport] = the {city} {team} {beat} the {other} | the {team} {beat} the {other} in {city}
full_event[sport] = the {city} {team} {beat} the {other} by {goals}
 | the {city} {team} {beat} the {nation} {champions} by {goals}
 | the {team} {beat} the {city} {other} in {match_place}
champions = champions | team
match_place = the rain | the cup | the final
player = striker | captain | defender | goalkeeper
cause[sport,good] = after {name} {surname} scored {number} times
 | after their {young} {nation} {player} scored | after goalkeeper {name} {surname} saved a penalty
young = young | new | experienced | tall
cause[sport,bad] = after {player} {name} {surname} was {sent_off}
 | after their {young} {nation} {player} was {sent_off} | after {name} {surname} missed a penalty
sent_off = injured | sent off
when[sport,past] = on {weekday} | last night | on {weekday} {part} | last {weekday}
when[sport,present] = tonight | this evening | today | this afternoon
aftermath[sport,good,past] = and reporter {name} {surname} praised the {mate} | and the fans celebrated
mate = striker | defender | goalkeeper
aftermath[sport,good,present] = and reporter {name} {surname} praises the {mate}
 | and the fans are celebrating
aftermath[sport,bad,past] = and reporter {name} {surname} blamed the {mate} | and the fans went home
aftermath[sport,bad,present] = and reporter {name} {surname} blames the {mate} | and the fans are going home
claim[sport] = the {young} {nation} {mate} {was} {very} {fit} | the {squad} {were} {very} {fit}
full_claim[sport] = the {young} {nation} {mate} {was} {very} {fit} before the match in {city}
 | the {city} {team} {were} {very} {fit} before the match in {city}
squad = players | {city} {team}
fit[good] = confident | focused | calm | strong
fit[bad] = tired | nervous | slow | frustrated
speaker[sport] = coach {name} {surname} | captain {name} {surname} | the {nation} coach
 | the president of the {team}
contrast[sport] = the {team} {were} {much} {faster} | the {nation} {team_kind} {was} {much} {faster}
team_kind = team | defense
full_contrast[sport] = the {city} {team} {were} {much} {faster}
 | the young {nation} {team_kind} {was} {much} {faster}
faster[good] = faster | stronger | better
faster[bad] = slower | weaker | worse
hope[sport] = coach {name} {surname} had expected | the {other} had expected
rival[sport] = the {city} {other} in {month} | the {city} {other} in {match_place}
aside[sport] = the fans {were} {very} {proud}
proud[good] = happy | proud
proud[bad] = angry | disappointed
ask[sport] = {were} the {city} {team} {playing} | {was} the {nation} {player} {playing}
full_ask[sport] = {were} the {city} {team} {playing} against the {other}
 | {was} the {young} {nation} {player} {playing} against the {other}
playing[good] = playing so well | scoring so often
playing[bad] = playing so badly | losing so often
claim_so[sport] = the {city} {team} {were} {playing} | the {nation} {player} {was} {playing}
full_claim_so[sport] = the {city} {team} {were} {playing} against the {other}
 | the {young} {nation} {player} {was} {playing} against the {other}
ask_more[sport] = what {was} coach {name} {surname} doing
"""

POLITICS = """
senate = government | parliament | senate | opposition | cabinet | labor party
bill = budget | tax plan | housing bill | trade deal | school reform | climate treaty | pension law
 | energy plan
supported[good,past] = supported | approved | defended | welcomed | praised
supported[good,present] = supports | approves | defends | welcomes | praises
supported[bad,past] = rejected | opposed | blocked | criticized | attacked
supported[bad,present] = rejects | opposes | blocks | criticizes | attacks
event[politics] = the {nation} {senate} {supported} the {bill}
 | minister {name} {surname} {supported} the {bill}
full_event[politics] = the {nation} {senate} {supported} the {revised} {bill} in a {public} debate
 | the {minister} of {city} {supported} the {revised} {bill} in a {public} speech
public = public | long | short
revised = new | revised | proposed
minister = mayor | governor
cause[politics,good] = after {long} talks with {nation} {unions} | after {long} talks in {city}
 | after {number} {bodies} accepted a compromise
cause[politics,bad] = after {long_protests} protests by {nation} {unions}
 | after {long_protests} protests in {city} | after {number} {bodies} threatened a strike
long = long | difficult | secret
long_protests = long | angry | violent
unions = unions | teachers | farmers | nurses | students
bodies = unions | hospitals | airlines
when[politics,past] = on {weekday} | last week | on {weekday} {part} | in {month}
when[politics,present] = this week | today | this {month}
aftermath[politics,good,past] = and {citizens} cheered in {city} | and {citizens} celebrated in {city}
aftermath[politics,good,present] = and {citizens} are cheering in {city}
 | and {citizens} are celebrating in {city}
aftermath[politics,bad,past] = and {citizens} marched in {city} | and {citizens} protested in {city}
aftermath[politics,bad,present] = and {citizens} are marching in {city}
 | and {citizens} are protesting in {city}
citizens = voters | students | workers | teachers | farmers | nurses
claim[politics] = the {revised} {bill} {was} {very} {popular}
 | the {revised} {bill} {was} {good_for} the {nation} {poor}
full_claim[politics] = the {revised} {nation} {bill} {was} {very} {popular} among {citizens}
 | the {revised} {bill} {was} {very} {popular} among {nation} {citizens}
popular[good] = popular | welcome
popular[bad] = unpopular | controversial
good_for[good] = good for | a victory for
good_for[bad] = bad for | a threat to
poor = economy | poor | people
speaker[politics] = minister {name} {surname} | {nation} minister {surname} | a spokesman in {city}
 | the {minister} of {city}
contrast[politics] = support for the {bill} {was} {much} {stronger}
 | the {revised} {bill} {was} {much} {more_popular}
full_contrast[politics] = support for the {revised} {bill} in {city} {was} {much} {stronger}
 | the {revised} {nation} {bill} {was} {much} {more_popular}
stronger[good] = stronger | higher
stronger[bad] = weaker | lower
more_popular[good] = more popular | better
more_popular[bad] = less popular | worse
hope[politics] = the {nation} {senate} had hoped | minister {name} {surname} had predicted
 | the polls had suggested
rival[politics] = before the vote in {month} | before the {nation} election | before the election in {month}
aside[politics] = the debate in {city} {was} {very} {calm}
calm[good] = calm | polite
calm[bad] = heated | bitter
ask[politics] = {was} the {nation} {senate} {supporting} the {bill}
 | {was} the {minister} of {city} {supporting} the {bill}
full_ask[politics] = {was} the {nation} {senate} {supporting} the {revised} {bill}
 | {was} minister {name} {surname} {supporting} the {revised} {bill}
supporting[good] = supporting | defending | praising
supporting[bad] = blocking | attacking | opposing
claim_so[politics] = the {nation} {senate} {was} {supporting} the {bill}
 | minister {name} {surname} {was} {supporting} the {bill}
full_claim_so[politics] = the {nation} {senate} {was} {supporting} the {revised} {bill}
 | minister {name} {surname} {was} {supporting} the {revised} {bill}
ask_more[politics] = what {were} {citizens} in {city} demanding | what {was} minister {surname} planning
"""

WEATHER = """
side = northern | western | southern | eastern
area = suburbs | hills | villages | fields | forests | valleys
event[weather,good] = {sun} {warmed} the {side} {area} of {city}
event[weather,bad] = {rain} {flooded} the {side} {area} of {city} | {wind} {battered} the {area} near {city}
 | {fog} {covered} the {area} near {city}
full_event[weather,good] = {sun} {warmed} the {side} {area} between {western} and {eastern}
full_event[weather,bad] = {rain} {flooded} the {side} {area} between {western} and {eastern}
 | {wind} {battered} the {side} {area} between {western} and {eastern}
 | {fog} {covered} the {side} {area} between {western} and {eastern}
sun = bright sunshine | warm air | mild weather | a gentle breeze
warmed[past] = reached | warmed | returned to
warmed[present] = is reaching | is warming | is returning to
rain = heavy rain | melting snow | a sudden flood
flooded[past] = flooded | drenched | swept across
flooded[present] = is flooding | is drenching | is sweeping across
wind = a violent storm | a strong gale | a tornado | a blizzard
battered[past] = hit | battered | swept across
battered[present] = is hitting | is battering | is sweeping across
fog = thick fog | heavy snow | black smoke
covered[past] = covered | paralyzed
covered[present] = is covering | is paralyzing
cause[weather,good] = after {number} {wet} {weeks} | after a {wet} storm moved {south}
weeks = days | weeks | nights
cause[weather,bad] = after {number} {dry} {weeks} | after a {icy_front} front arrived from the {south}
icy_front = cold | stormy | wet
wet = wet | rainy | stormy
dry = dry | hot | sunny
south = south | north | east | west
when[weather,past] = on {weekday} | last night | on {weekday} {part} | last week | in {month}
when[weather,present] = today | this week | this {part} | this {month} | tonight
aftermath[weather,good,past] = and {families} went to the park | and {families} played outside
 | and {families} went swimming
aftermath[weather,good,present] = and {families} are going to the park | and {families} are playing outside
 | and {families} are going swimming
families = families | children | tourists | students
aftermath[weather,bad,past] = and {number} {schools} closed | and {number} {schools} lost power
 | and the {ferry} was cancelled
aftermath[weather,bad,present] = and {number} {schools} are closing | and {number} {schools} are losing power
 | and the {ferry} is cancelled
schools = schools | hospitals | villages | shops
ferry = ferry to {city} | train to {city} | parade
claim[weather] = the {sky} over {city} {was} {very} {clear} | the {road} to {city} {was} {very} {safe}
full_claim[weather] = the {sky} over the {side} {area} of {city} {was} {very} {clear}
 | the {road} from {western} to {eastern} {was} {very} {safe}
sky = air | wind
clear[good] = mild | pleasant | calm
clear[bad] = cold | harsh | unpleasant
road = road | bridge | tunnel | highway
safe[good] = quiet | empty
safe[bad] = dangerous | slippery | icy
speaker[weather] = {nation} expert {name} {surname} | farmer {name} {surname} | the {nation} weather service
contrast[weather] = the {winter} in {city} {was} {much} {warmer} | the {frost} in {city} {was} {much} {weaker}
full_contrast[weather] = the {winter} in the {side} {area} near {city} {was} {much} {warmer}
 | the {frost} in the {side} {area} near {city} {was} {much} {weaker}
winter = winter | summer | spring | autumn
warmer[good] = milder | drier | sunnier | warmer
warmer[bad] = colder | wetter | stormier
frost = wind | frost | rain
weaker[good] = weaker | lighter
weaker[bad] = heavier | stronger
hope[weather] = forecasters had predicted | the {nation} models had suggested | anyone could remember
rival[weather] = in the {area} near {city} | {number} years ago | in {month} last year
aside[weather] = the river {was} {very} {low_river}
low_river[good] = low | calm
low_river[bad] = high | rough
ask[weather] = {was} the {sky} over {city} so {clear} | {was} the {road} to {city} so {safe}
full_ask[weather] = {was} the {sky} over the {side} {area} of {city} so {clear}
 | {was} the {road} from {western} to {eastern} so {safe}
claim_so[weather] = the {sky} over {city} {was} so {clear} | the {road} to {city} {was} so {safe}
full_claim_so[weather] = the {sky} over the {side} {area} of {city} {was} so {clear}
 | the {road} from {western} to {eastern} {was} so {safe}
ask_more[weather] = what {were} {families} doing | how long {could} it last
"""

NEWS = MARKETS + SPORT + POLITICS + WEATHER
