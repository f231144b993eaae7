"""Names that mail programs take for a web address, and how to write them so that no link is made of them."""

import re

# Top-level domains of three letters or more under which strangers can register a name, of all that IANA lists. Those of
# two letters belong to countries, and most others to one company each (".ford"): no stranger has a site there. Any
# other word may follow a dot, as most names with one are "first.last".
OPEN = (
    "abogado abudhabi academy accountant accountants actor adult aero africa agency airforce alsace amsterdam "
    "apartments app arab archi army art arts asia associates attorney auction audio auto autos baby band bank bar "
    "barcelona bargains basketball bayern bcn beauty beer berlin best bet bible bid bike bingo bio biz black "
    "blackfriday blog blue boats bond boo booking boston bot boutique box broadway broker brussels build builders "
    "business buy buzz bzh cab cafe cam camera camp capetown capital car cards care career careers cars case cash "
    "casino cat catering center ceo cfd channel charity chat cheap christmas church citic city claims cleaning click "
    "clinic clothing cloud club coach codes coffee college cologne com community company compare computer condos "
    "construction consulting contact contractors cool coop corsica country coupons courses cpa credit creditcard "
    "cricket cruises cymru cyou dad dance data date dating day deal deals degree delivery democrat dental dentist "
    "desi design dev diamonds diet digital direct directory discount diy doctor dog domains download dubai durban "
    "earth eat eco edu education email energy engineer engineering enterprises equipment esq estate eus events "
    "exchange expert experts exposed express fail faith family fan fans farm fashion fast feedback film finance "
    "financial fish fishing fit fitness flights florist flowers foo food football forex forsale forum forums "
    "foundation free frl fun fund furniture futbol fyi gal gallery game games gaming garden gay gdn gent gift gifts "
    "gives giving glass global gmbh gold golf gop got gov graphics gratis green gripe grocery group guide guitars "
    "guru hair hamburg hangout haus health healthcare help helsinki here hiphop hiv hockey holdings holiday holidays "
    "home homes horse hospital host hosting hot hotel hotels house how icu immo immobilien inc industries info ing "
    "ink institute insurance insure int international invest investments irish ist istanbul jetzt jewelry jobs joburg "
    "juegos kaufen kids kim kitchen kiwi koeln kosher krd kred kyoto land lat latino law lawyer lease legal lgbt life "
    "lifestyle lighting limited limo link live living llc llp loan loans locker lol london lotto love ltd ltda luxe "
    "luxury madrid mail maison makeup management market marketing markets mba med media medical melbourne meme "
    "memorial men menu miami mil mls mobi mobile moda moe moi mom money monster mortgage moscow motorcycles mov movie "
    "museum music nagoya name navy net network new news nexus ngo ninja now nowruz nrw nyc observer office okinawa "
    "one ong onion onl online ooo open org organic osaka ott ovh page paris pars partners parts party pay pet "
    "pharmacy phd phone photo photography photos physio pics pictures pid pink pizza place play plumbing plus poker "
    "politie porn post press pro productions prof promo properties property protection pub qpon quebec quest racing "
    "radio read realestate realtor realty recipes red rehab reise reisen reit ren rent rentals repair report "
    "republican rest restaurant review reviews rich rio rip rocks rodeo rsvp rugby ruhr run ryukyu saarland safe "
    "safety sale salon sarl save sbs school schule schwarz science scot search secure security select server service "
    "services sex sexy shia shiksha shoes shop shopping show singles site ski skin sky soccer social software solar "
    "solutions soy spa space sport spot srl stockholm storage store stream studio study style sucks supplies supply "
    "support surf surgery swatch swiss sydney systems taipei talk tatar tattoo tax taxi team tech technology tel "
    "tennis theater theatre tickets tienda tips tires tirol today tokyo tools top tours town toys trade trading "
    "training travel trust tube tunes university uno vacations vana vegas ventures versicherung vet viajes video "
    "villas vin vip vision vlaanderen vodka vote voting voto voyage wales wang watch watches web webcam website wed "
    "wedding whoswho wien wiki win wine winners work works world wow wtf xin xxx xyz yachts yoga yokohama you zero "
    "zip zone zuerich"
).split()

HOST = re.compile(
    rf"^(?:www\d?|https?|ftp)\.|[a-z0-9]\.(?:[a-z]{{2}}|xn--[a-z0-9-]+|{'|'.join(OPEN)})(?![a-z0-9])"
    r"|\d{1,3}(?:\.\d{1,3}){3}",
    re.IGNORECASE | re.ASCII,
)
DOT = re.compile(r"(?<=\w)\.(?=\w)")


def reads_as_host(name: str) -> bool:
    """Returns whether a username reads as a web address: "www.x", "x.com", "x.co.uk" or "10.0.0.1"."""
    return HOST.search(name) is not None


def unlinked(name: str) -> str:
    """Returns a username with spaces in place of the dots in it, so that no mail program makes a link of it.

    Every dot counts, whatever follows: there are new top-level domains each year. Invisible characters beside the dot
    would keep its look, but some mail programs show them as boxes, and others ignore them and make the link.
    """
    return DOT.sub(" ", name)
