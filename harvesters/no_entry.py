"""Pages of a site that are no entries of it: lists by tag, author or date, searches, logins, feeds,
and what is behind a password.

The markup of a page counts first, of all the systems that say by it what a page is. Where it says
nothing, the address counts. An address never counts against markup that says that the page is an
entry: entries live under addresses such as ``/archives/123`` and ``/tags/of-the-sea``.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote

from lxml.etree import _Element

from chm_hub.addresses import urlsplit

LIST = "a list of entries"
TAG = "a list by tag or category"
AUTHOR = "a list by author"
SEARCH = "a search"
LOGIN = "a login"
FEED = "a feed"
PASSWORD = "behind a password"
TOOL = "a page about other pages of a wiki"
MISSING = "a page that is not there"
REDIRECT = "another name of a page"

_FEED = re.compile(
    rb"^\s*(?:<\?xml[^>]*>|<\?[^>]*>|<!--.*?-->|\s)*<(?:rss|feed|rdf:RDF[^>]+purl\.org/rss)[\s>/]",
    re.S,
)
_MARKUP: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(rf"(?:^|\s)(?:{names})(?=\s|$)", re.I))
    for reason, names in (
        (PASSWORD, r"post-password-required"),
        # DokuWiki answers so with status 200, and WordPress behind some caches.
        (MISSING, r"notFound|error404"),
        # WordPress, Ghost, Blogger
        (AUTHOR, r"author|author-template|author-\S+"),
        (TAG, r"category|tag|tax-\S+|term-\d+|tag-template|label-view"),
        (SEARCH, r"search|search-results|search-no-results|search-view"),
        (LIST, r"archive|date|blog|post-type-archive\S*|paged|home-template|archive-view|"
               r"feed-view"),
        # Drupal
        (TAG, r"page-taxonomy\S*|path-taxonomy\S*|page-vocabulary\S*"),
        (LOGIN, r"page-user-login|page-user-register|page-user-password|path-user-login"),
        (AUTHOR, r"page-user|page-user-\d*|path-user"),
        (SEARCH, r"page-search\S*|path-search"),
        # Joomla
        (TAG, r"com_tags|view-tags?"),
        (LIST, r"view-(?:category|categories|archive|featured)"),
        (SEARCH, r"com_search|com_finder"),
        (LOGIN, r"com_users"),
        # Plone
        (SEARCH, r"template-search|template-@@search"),
        (LOGIN, r"template-(?:login|register|require_login|mail_password)\S*"),
        (LIST, r"portaltype-(?:collection|topic)|template-(?:listing|summary|album|tabular)_view|"
               r"template-(?:folder_\w+|sitemap|recently_modified)"),
        (AUTHOR, r"template-author"),
        # OJS
        (SEARCH, r"pkp_page_search"),
        (LOGIN, r"pkp_page_login|pkp_page_user"),
        (LIST, r"pkp_op_archive"),
        # MediaWiki and DokuWiki
        (TAG, r"ns-14"),
        (TOOL, r"ns-special|ns--1|ns-talk|ns-2|ns-8|ns-10|"
               r"action-(?:edit|history|info|delete|submit|raw)"),
        (SEARCH, r"mode_search"),
        (LOGIN, r"mode_(?:login|register|resendpwd|profile)"),
        (TOOL, r"mode_(?:index|revisions|recent|media|edit|diff|backlink|admin|subscribe|denied)"),
    )
)  # fmt: skip
"""What the classes of a page's body, or of a wiki's frame, say that it is."""
_ENTRY = re.compile(
    r"(?:^|\s)(?:single|singular|wp-singular|page|attachment|single-\S+|postid-\d+|"
    r"page-id-\d+|post-template|"
    r"page-template|item-view|page-node-\S*|path-node|page-node-type-\S+|node-type-\S+|"
    r"view-article|view-item|"
    r"mode_show|ns-0|pkp_page_article|portaltype-(?:document|news-item|event|file))(?=\s|$)",
    re.I,
)
_LISTS = {"CollectionPage": LIST, "SearchResultsPage": SEARCH, "ProfilePage": AUTHOR}
_SAYS_LITTLE = frozenset({"", "WebPage", "WebSite", "ItemPage", "ItemList"})
_TAGS = (
    "tag|tags|label|labels|category|categories|etiqueta|etiquetas|etiquette|etiquettes|"
    "mot-cle|mots-cles|"
    "categoria|categorias|categorie|catégorie|kategorie|kategoria|schlagwort|palavra-chave|"
    "метка|рубрика"
)
_AUTHORS = "author|authors|autor|autores|auteur|auteurs|avtor|profile|profiles"
_PATHS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.I))
    for reason, pattern in (
        (TAG, rf"/(?:{_TAGS})/[^/]+?(?:/page/\d+|/\d+)?$|/(?:tags|categories|labels)(?:\.html?)?$"),
        (AUTHOR, rf"/(?:{_AUTHORS})/[^/]+?(?:/page/\d+)?$|/(?:authors|autores|"
                 r"auteurs)(?:\.html?)?$"),
        (TAG, r"/taxonomy/term/[\d+,]+(?:/all)?$|/search/label/[^/]+$"),
        (AUTHOR, r"^(?:/[a-z]{2})?/user/\d+$"),
        (LOGIN, r"/(?:wp-login\.php|login(?:_html|_form)?|log-in|sign-?in|signup|"
                r"password-login|connexion|"
                r"iniciar-sesion|entrar|register|user/(?:login|register|password))(?:\.aspx?|"
                r"\.php|\.html?)?$|"
                r"/_layouts/(?:\d+/)?authenticate\.aspx|/account/(?:login|register)$|/cgi/users/"),
        (SEARCH, r"/(?:search|advanced-search|simple-search|recherche|rechercher|buscar|"
                 r"busqueda|pesquisa|suche|"
                 r"search_html|discover)(?:\.aspx?|\.php|\.html?)?$|/search/(?:node|user|"
                 r"site)(?:/|$)|"
                 r"/osssearchresults\.aspx|/cgi/search(?:/|$)"),
        (LIST, r"/(?:archives?|archivo|genindex|py-modindex|community-list|"
               r"allitems)(?:\.html?|\.aspx|\.php)?$|"
               r"/archives?/(?:19|20)\d\d[/-]\d{1,2}(?:\.html?)?$|^(?:/[a-z]{2})?(?:/blog|"
               r"/news)?/\d{4}/\d{2}(?:/\d{2})?$|"
               r"/browse(?:/(?:title|author|dateissued|subject)\S*)?$|"
               r"/view/(?:subjects|divisions|year|creators|people|types?)(?:/[^/]*)?$"),
    )
)  # fmt: skip
_WEAK = re.compile(
    r"/page[/=-]?\d+$|^(?:/[a-z]{2})?(?:/blog|/news)?/\d{4}$|/archives?/[^/]+$|/p/\d+$", re.I
)
"""Paths of lists that may be of entries too: the page must look like a list."""
_DO = frozenset(
    [
        "search",
        "login",
        "index",
        "recent",
        "revisions",
        "media",
        "edit",
        "diff",
        "backlink",
        "register",
        "admin",
    ]
)
_NAMESPACE = re.compile(
    r"(?:^|/wiki/|/)(?:(?P<tool>special|spezial|spécial|especial|служебная|خاص|特殊|特别|พิเศษ|"
    r"user|utilisateur|usuario|"
    r"usuário|участник|مستخدم|用户|ผู้ใช้|[a-z]*_?talk|discussion|обсуждение)|"
    r"(?P<tag>category|catégorie|categoría|categoria|категория|تصنيف|分类|分類|หมวดหมู่)):[^/]",
    re.I,
)
_MAPS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.I))
    for reason, pattern in (
        (
            TAG,
            r"/wp-sitemap-taxonomies-[^/]*\.xml|/(?:category|post_?tag|tags?|"
            r"taxonomies?)-sitemap\d*\.xml",
        ),
        (AUTHOR, r"/wp-sitemap-users-[^/]*\.xml|/authors?-sitemap\d*\.xml|/sitemap-authors\.xml"),
        (TAG, r"/sitemap-tags?\.xml"),
    )
)


def of_map(url: str) -> str | None:
    """What the pages of a sitemap are by the name of its file, if they are no entries."""
    return next((reason for reason, names in _MAPS if names.search(urlsplit(url).path)), None)


def why(
    page: _Element, url: str, body: bytes, kinds: list[set[str]], listed: str | None = None
) -> str | None:
    """Why a page is no entry of its site; ``None`` if it is one, as far as can be told.

    ``kinds`` are the classes of each thing of its JSON-LD, ``listed`` what its sitemap says.
    """
    if _FEED.match(body[:2000]):
        return FEED
    if page.xpath("//form[contains(concat(' ', @class, ' '), ' post-password-form ')]"):
        return PASSWORD
    if page.xpath("//*[contains(concat(' ', @class, ' '), ' mw-redirectedfrom ')] | "
                  "//*[contains(concat(' ', @class, ' '), ' redirectMsg ')]"):  # fmt: skip
        return REDIRECT  # MediaWiki shows the other page, or that there is one
    classes = _classes(page)
    is_entry = bool(_ENTRY.search(classes))
    told = [reason for reason, names in _MARKUP if names.search(classes)]
    if sure := next((reason for reason in told if reason in (TOOL, PASSWORD, MISSING)), None):
        return sure
    if is_entry:
        return None
    describes = _describes_an_entry(page, kinds)
    # One plain word may be a theme's own; two are a system's.
    if told and (not describes or len(_plain_words(classes)) != 1):
        return told[0]
    if describes:
        return None
    for kind in set().union(*kinds) if kinds else ():
        if kind in _LISTS:
            return _LISTS[kind]
    if page.xpath("string(//meta[@property='og:type']/@content)").strip() == "profile":
        return AUTHOR
    if _asks_for_a_password(page):
        return LOGIN
    return listed or _of_address(url, page)


def _plain_words(classes: str) -> set[str]:
    words = set(classes.lower().split())
    plain = words & {"author", "category", "tag", "search", "date", "blog", "archive", "paged"}
    return plain if plain else words


def _classes(page: _Element) -> str:
    frames = page.xpath(
        "//body/@class | //div[contains(concat(' ', @class, ' '), ' dokuwiki ')]/@class | "
        "/html/@class"
    )
    return " ".join(frames)


def _describes_an_entry(page: _Element, kinds: list[set[str]]) -> bool:
    if any(kind - _SAYS_LITTLE - set(_LISTS) for kind in kinds):
        return True
    return bool(
        page.xpath(
            "//meta[@property='og:type' and @content='article'] | "
            "//meta[@property='article:published_time'] | "
            "//meta[@name='citation_title'] | //*[@itemprop='articleBody'] | "
            "//*[@itemprop='headline' and self::h1]"
        )
    )


def _asks_for_a_password(page: _Element) -> bool:
    """Whether a page is there to ask for a password: beside the form it has no sentence."""
    if not page.xpath("//input[@type='password']"):
        return False
    texts = page.xpath(
        "//p[not(ancestor::form or ancestor::footer or ancestor::aside or ancestor::header)]"
    )
    return not any(len(" ".join(text.itertext()).strip()) > 80 for text in texts)


def _of_address(url: str, page: _Element) -> str | None:
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    for reason, names in _PATHS:
        if names.search(path):
            return reason
    if _WEAK.search(path) and _looks_like_a_list(page):
        return LIST
    return _of_arguments(path, parts.query, page)


def _of_arguments(path: str, query: str, page: _Element) -> str | None:
    said = {
        name.lower(): values[0] for name, values in parse_qs(query, keep_blank_values=True).items()
    }
    wiki = said.get("title") or said.get("id") or path.rpartition("/")[2]
    is_wiki = (
        "/wiki/" in f"{path}/"
        or "title" in said
        or path.endswith("doku.php")
        or "mediawiki" in _generator(page)
    )
    if is_wiki and (space := _NAMESPACE.search(wiki)):
        return TOOL if space["tool"] else TAG
    if said.get("do") in _DO or (
        path.endswith("index.php") and said.get("action") in ("edit", "history", "info")
    ):
        return {"search": SEARCH, "login": LOGIN, "register": LOGIN}.get(said.get("do", ""), TOOL)
    inner = f"/{said.get('q', '')}"
    if found := next(
        (reason for reason, names in _PATHS if "q" in said and names.search(inner)), None
    ):
        return found
    if option := {
        "com_search": SEARCH,
        "com_finder": SEARCH,
        "com_tags": TAG,
        "com_users": LOGIN,
    }.get(said.get("option", "")):
        return option
    if said.get("option") == "com_content" and said.get("view") in (
        "category",
        "categories",
        "archive",
        "featured",
    ):
        return LIST
    if path in ("", "/index.php") and not {"p", "page_id", "attachment_id", "id"} & set(said):
        # WordPress with plain addresses
        plain = {
            "s": SEARCH,
            "cat": TAG,
            "tag": TAG,
            "author": AUTHOR,
            "feed": FEED,
            "m": LIST,
            "paged": LIST,
        }
        return next((reason for name, reason in plain.items() if name in said), None)
    return None


def _generator(page: _Element) -> str:
    return str(
        page.xpath("string(//meta[@name='generator' or @name='Generator']/@content)")
    ).lower()


def _looks_like_a_list(page: _Element) -> bool:
    """Whether a page shows several entries, each by a heading that links to it."""
    titles = page.xpath("//h2[a[@href]] | //h3[a[@href]] | //a[@href]/h2 | //a[@href]/h3")
    return len(titles) >= 3 or len(page.xpath("//article")) >= 3
