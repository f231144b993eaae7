"""Names that mail programs take for a web address, and how to write them so that no link is made of them."""

import re

# Top-level domains of three letters or more under which anybody can register a name. Those of two letters belong to
# countries; most others belong to one company each (".ford"), so that no stranger has a site there.
OPEN = (
    "abogado academy accountant accountants actor adult aero africa agency airforce amsterdam apartments app archi "
    "army art arts asia associates attorney auction audio auto autos baby band bank bar barcelona bargains basketball "
    "bayern beauty beer berlin best bet bible bid bike bingo bio biz black blackfriday blog blue boats bond boo "
    "booking boston bot boutique box broadway broker brussels build builders business buy buzz cafe cam capital car "
    "cards care career careers cars case cash casino cat catering center cfd charity chat cheap christmas church "
    "citic city claims cleaning click clinic clothing cloud club codes coffee college cologne com community company "
    "compare computer condos construction consulting contact contractors cool coop coupons courses credit creditcard "
    "cricket cruises cyou dad dance data date dating day deals degree delivery democrat dental dentist desi design "
    "dev diamonds digital direct directory discount diy doctor dog domains download durban earth eat eco edu "
    "education email energy engineer engineering enterprises equipment esq estate events exchange expert experts fail "
    "faith family fan fans farm fashion film finance financial fish fishing fit fitness flights florist flowers foo "
    "food football forex forsale forum forums foundation free fun fund furniture futbol fyi gallery game games gaming "
    "garden gdn gift gifts gives giving glass global gmbh gold golf got gov graphics gratis green gripe grocery group "
    "guide guitars guru hair hamburg hangout haus health healthcare help here hiphop hiv hockey holiday holidays home "
    "homes horse hospital host hosting hot hotel hotels house how icu immo immobilien inc industries info ing "
    "institute insurance insure int international invest investments irish istanbul jetzt jewelry jobs joburg juegos "
    "kaufen kids kim kitchen koeln krd kyoto land lat latino law lawyer lease legal lgbt life lifestyle lighting "
    "limited limo link live living llc llp loan loans locker lol london lotto love ltd ltda luxe luxury madrid mail "
    "maison makeup management market marketing markets mba media medical melbourne meme memorial men miami mil mobi "
    "mobile moda moe mom money monster mortgage moscow motorcycles mov movie museum music nagoya name navy net "
    "network new news nexus ninja now nyc observer office one ong onion onl online ooo open org organic osaka ott "
    "page paris partners parts party pay pet pharmacy phd photo photography photos physio pics pictures pid pink "
    "pizza place play plumbing plus poker politie porn post press pro productions prof promo properties property "
    "protection pub qpon quebec quest racing radio read realestate realty recipes red rehab reisen rent rentals "
    "repair report republican rest restaurant review reviews rich rio rip rocks rodeo rsvp rugby ruhr run saarland "
    "safe safety sale salon sarl save sbs school schule science scot search secure security select server service "
    "services sex sexy shiksha shoes shop shopping show singles site ski skin sky soccer social software solar "
    "solutions soy spa space spot srl storage store stream studio study style sucks supplies supply support surf "
    "surgery swatch swiss sydney systems talk tattoo tax taxi team tech technology tel tennis theater theatre tickets "
    "tienda tires tirol today tokyo tools top tours toys trade trading training travel trust tube university uno "
    "vacations vana vegas ventures versicherung vet viajes video villas vin vip vision vlaanderen vodka vote voting "
    "voto voyage wales wang watch web webcam website wedding whoswho wien wiki win wine winners work works world wow "
    "wtf xxx xyz yachts yoga yokohama you zero zip zone zuerich"
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
