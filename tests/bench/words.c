/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <math.h>
#include <stdio.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof(*(array))))
#define PICK(array)  ((array)[words_below(COUNT(array))])

static const char *const given[] = {
	"aaron",    "agnes",     "albert",     "alice",   "amir",       "andrea",    "anton",
	"astrid",   "barbara",   "bella",      "bernd",   "bjorn",      "bruno",     "carla",
	"carmen",   "cedric",    "charlotte",  "clara",   "claudia",    "conrad",    "dagmar",
	"damian",   "daria",     "denise",     "dieter",  "dora",       "edgar",     "elena",
	"elisa",    "emil",      "erika",      "esther",  "fabian",     "felix",     "fiona",
	"florence", "frederick", "gerda",      "gloria",  "gustav",     "hannah",    "harald",
	"hedwig",   "heinrich",  "henry",      "hugo",    "ida",        "igor",      "ines",
	"isabel",   "jakob",     "jasmin",     "joachim", "johanna",    "josephine", "julian",
	"karolina", "katja",     "konstantin", "lars",    "leander",    "leonie",    "lorenz",
	"lucy",     "magda",     "manuel",     "marcus",  "margot",     "matilda",   "maurice",
	"melanie",  "milan",     "monica",     "nadia",   "natalie",    "nils",      "norbert",
	"octavia",  "oscar",     "otto",       "paula",   "peter",      "philippa",  "quentin",
	"rafael",   "regina",    "rita",       "rupert",  "sabine",     "sebastian", "selma",
	"silvia",   "stefan",    "susanne",    "tamara",  "theodor",    "tobias",    "ursula",
	"valentin", "vera",      "victoria",   "walter",  "wilhelmina", "yvonne",
};
static const char *const family[] = {
	"abel",      "adler",   "albrecht",  "arnold",    "bauer",     "baxter",    "becker",
	"bennett",   "berger",  "bishop",    "brandt",    "brennan",   "callahan",  "carlsen",
	"chandler",  "cole",    "crawford",  "dahl",      "dalton",    "decker",    "dietrich",
	"donovan",   "dvorak",  "eklund",    "ellis",     "engel",     "fabre",     "farrell",
	"ferraro",   "fischer", "fleming",   "fontaine",  "franke",    "gallagher", "garner",
	"gerber",    "goldman", "graham",    "greco",     "haas",      "hammond",   "hartmann",
	"hayes",     "heller",  "holloway",  "horvath",   "huber",     "ibsen",     "jansen",
	"jordan",    "kaiser",  "kaufmann",  "keller",    "kovacs",    "kramer",    "kruger",
	"lambert",   "lang",    "lehmann",   "lindqvist", "lombardi",  "lorenz",    "maier",
	"marchetti", "mercer",  "moser",     "nagy",      "nash",      "neumann",   "nolan",
	"novotny",   "oberg",   "olsen",     "otis",      "parks",     "pavlov",    "petrov",
	"pohl",      "porter",  "quinn",     "ramsey",    "reinhardt", "ricci",     "rivers",
	"romero",    "sauer",   "schreiber", "seidel",    "sharp",     "silva",     "sommer",
	"stark",     "steiner", "sutton",    "szabo",     "thorne",    "tucker",    "ullrich",
	"vance",     "vogel",   "vogt",      "wallace",   "weiss",     "winter",    "yates",
	"zeller",
};
static const char *const endings[] = {
	"", "", "", "", "", "", "e", "ers", "in", "kin", "land", "mann", "sen", "stedt", "ton", "y",
};
static const char *const roles[] = {
	"abuse", "accounting", "admin",   "archive",  "billing", "booking", "career", "contact",
	"desk",  "finance",    "hello",   "helpdesk", "info",    "invoice", "it",     "kontakt",
	"legal", "library",    "list",    "mail",     "news",    "office",  "order",  "postmaster",
	"press", "privacy",    "sales",   "security", "service", "shop",    "staff",  "support",
	"team",  "webmaster",  "welcome", "workshop",
};
static const char *const topics[] = {
	"amber",   "arctic",  "birch", "bridge",  "brook",  "cedar",  "cobalt", "comet",
	"coral",   "delta",   "dune",  "east",    "ember",  "falcon", "garden", "glass",
	"granite", "harbor",  "hazel", "heron",   "indigo", "island", "ivory",  "jade",
	"lagoon",  "lantern", "lemon", "linden",  "maple",  "marble", "meadow", "mill",
	"mint",    "north",   "nova",  "oak",     "olive",  "onyx",   "orbit",  "otter",
	"pearl",   "pine",    "polar", "prairie", "quartz", "raven",  "ridge",  "river",
	"robin",   "sage",    "shore", "silver",  "solar",  "south",  "spark",  "stone",
	"summit",  "swift",   "tidal", "timber",  "valley", "violet", "west",   "willow",
};
static const char *const trades[] = {
	"advice",    "agency", "apparel", "atelier",   "bakery",   "barn",     "bikes",
	"books",     "build",  "carpets", "cars",      "clinic",   "coffee",   "consult",
	"craft",     "dental", "design",  "digital",   "energy",   "events",   "export",
	"farm",      "films",  "forge",   "fund",      "games",    "guild",    "homes",
	"hosting",   "hotel",  "imaging", "institute", "kitchen",  "labs",     "lighting",
	"logistics", "media",  "motors",  "music",     "optics",   "paper",    "partners",
	"pharma",    "press",  "print",   "repair",    "school",   "services", "software",
	"sports",    "studio", "supply",  "systems",   "tailor",   "textiles", "theatre",
	"tools",     "trade",  "travel",  "trust",     "ventures", "winery",   "works",
	"yachts",
};
static const char *const tops[] = {
	"com", "com", "com", "com", "com",  "com", "com", "com", "com", "com",    "de",
	"de",  "de",  "de",  "net", "net",  "net", "org", "org", "at",  "ch",     "co.uk",
	"dk",  "es",  "eu",  "fr",  "info", "it",  "nl",  "pl",  "se",  "com.br",
};
static const char *const providers[] = {
	"bigmail.example",  "freepost.example", "cloudbox.example",  "mailhub.example",
	"webpost.example",  "inbox.example",    "quickmail.example", "phonemail.example",
	"cablenet.example", "citynet.example",  "post.example",      "campus.example",
	"fibre.example",    "mobile.example",   "letters.example",   "isp.example",
};

static uint64_t state;

/* The step and the output function of splitmix64. */
static uint64_t next(uint64_t *counter)
{
	uint64_t bits = *counter += UINT64_C(0x9e3779b97f4a7c15);

	bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
	return bits ^ bits >> 31;
}

void words_seed(uint64_t seed)
{
	state = seed;
}

uint64_t words_random(void)
{
	return next(&state);
}

uint32_t words_below(uint32_t limit)
{
	return (uint32_t)((words_random() >> 32) * limit >> 32);
}

bool words_chance(uint32_t in_thousand)
{
	return words_below(1000) < in_thousand;
}

uint32_t words_zipf(uint32_t limit)
{
	double unit = (double)(words_random() >> 11) / (double)(UINT64_C(1) << 53);
	uint32_t rank = (uint32_t)exp(unit * log((double)limit + 1));

	if (rank < 1)
		rank = 1;
	return rank > limit ? limit - 1 : rank - 1;
}

const char *words_topic(void)
{
	return PICK(topics);
}

const char *words_provider(void)
{
	return providers[words_zipf(COUNT(providers))];
}

static size_t random_letters(char *room)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	size_t size = 6 + words_below(7);

	for (size_t i = 0; i < size; i++)
		room[i] = letters[words_below(sizeof(letters) - 1)];
	room[size] = '\0';
	return size;
}

static int print_local(char *room, uint32_t kind)
{
	const char *name = PICK(given);
	const char *last = PICK(family);
	const char *end = PICK(endings);

	if (kind < 40)
		return snprintf(room, WORDS_ROOM, "%s.%s%s", name, last, end);
	if (kind < 52)
		return snprintf(room, WORDS_ROOM, "%c%s%s", 'a' + (int)words_below(26), last, end);
	if (kind < 60)
		return snprintf(room, WORDS_ROOM, "%s", name);
	if (kind < 66)
		return snprintf(room, WORDS_ROOM, "%s_%s%s", name, last, end);
	if (kind < 71)
		return snprintf(room, WORDS_ROOM, "%s", PICK(roles));
	if (kind < 80)
		return snprintf(room, WORDS_ROOM, "%s%u", name, words_below(10000));
	if (kind < 86)
		return (int)random_letters(room);
	if (kind < 91)
		return snprintf(room, WORDS_ROOM, "%u", 10000 + words_below(9000000));
	if (kind < 96)
		return snprintf(room, WORDS_ROOM, "%s-%s", PICK(roles), PICK(topics));
	return snprintf(room, WORDS_ROOM, "%s.%c.%s%s", name, 'a' + (int)words_below(26), last,
			end);
}

size_t words_local(char *room, bool is_small)
{
	if (is_small && words_chance(550))
		return (size_t)snprintf(room, WORDS_ROOM, "%s", PICK(roles));
	return (size_t)print_local(room, words_below(100));
}

size_t words_domain(char *room)
{
	uint32_t kind = words_below(100);
	int size;

	if (kind < 45)
		size = snprintf(room, WORDS_ROOM, "%s%s", PICK(topics), PICK(trades));
	else if (kind < 65)
		size = snprintf(room, WORDS_ROOM, "%s-%s", PICK(topics), PICK(trades));
	else if (kind < 80)
		size = snprintf(room, WORDS_ROOM, "%s%s-%s", PICK(family), PICK(endings),
				PICK(trades));
	else if (kind < 90)
		size = snprintf(room, WORDS_ROOM, "%s%s", PICK(family), PICK(endings));
	else if (kind < 95)
		size = snprintf(room, WORDS_ROOM, "mail.%s%s", PICK(topics), PICK(trades));
	else
		size = snprintf(room, WORDS_ROOM, "%s%s%s", PICK(topics), PICK(topics),
				PICK(trades));
	if (words_chance(300))
		size += snprintf(room + size, WORDS_ROOM - (size_t)size, "%u", words_below(1000));
	size += snprintf(room + size, WORDS_ROOM - (size_t)size, ".%s", PICK(tops));
	return (size_t)size;
}

size_t words_mailbox(char *room, uint32_t number)
{
	uint64_t counter = number;
	uint64_t bits = next(&counter);

	return (size_t)snprintf(room, WORDS_ROOM, "%s.%s%u@box%u.hosted.example",
				given[(bits & 0xffff) % COUNT(given)],
				family[(bits >> 16 & 0xffff) % COUNT(family)], number, number % 16);
}
