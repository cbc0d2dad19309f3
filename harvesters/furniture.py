"""What a page's theme puts around an entry: menus, by-lines, share buttons, banners.

Themes say what a part is by its element, its ARIA role, and the words of its class and id. The
words below are those of the systems that portals are made with. A part that holds the heading of
the page, or much of its text, is never taken for furniture: wrappers are called ``has-sidebar``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.etree import _Comment, _Element, _ProcessingInstruction

MOST_OF_A_PAGE = 0.4
"""The share of a page's text that no furniture has."""
LONGEST_NAMES, LONGEST_NAME = 1_000, 80
"""Letters of a class attribute, and of one name in it, that are looked at."""
_INVISIBLE = frozenset(
    str.split("script style noscript template iframe svg canvas object embed video audio "
              "button select "
              "textarea input datalist dialog menu title head map math-renderer")
)  # fmt: skip
_AROUND = frozenset({"nav", "aside", "footer", "address", "form", "header"})
_ROLES = frozenset(
    str.split("navigation banner contentinfo search complementary dialog alertdialog alert menu "
              "menubar toolbar tablist status tooltip")
)  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)

_WORDS = frozenset(
    str.split(
        # where one is, and where one can go
        "nav navbar navigation menu submenu mainmenu topmenu topbar breadcrumb breadcrumbs "
        "crumbs pathway "
        "weizhi youarehere pagination pager paginav pagenavi pagenavigation pagenav toc "
        "backlink jumplink "
        "skiplink skip sitemap langswitch languageswitcher langs linkback catlinks navbox "
        "sitenotice "
        "printfooter jumptonav quicklinks "
        # beside and below
        "sidebar sidenav leftcol rightcol leftmenu aside widgets blogroll footer colophon "
        "copyright bottom "
        "siteinfo masthead topbanner banner advert advertisement ads sponsor "
        # what readers are asked to do
        "share sharing sharedaddy social socials sociable addtoany addthis sharethis comment "
        "comments "
        "commentlist commentform commentsbox respond disqus cookie cookies consent gdpr eucookie "
        "newsletter subscribe subscription signup login searchbox searchform feedback rating "
        "ratings vote "
        "print noprint ep_noprint donate poll captcha "
        # other entries
        "related relatedposts relateditems similar recommended recommendations recent latest "
        "mostread "
        "popular trending readmore alsoread "
        # what editors see
        "editsection headerlink anchorlink secedit tabs contextual admin toolbar toolbox usertools"
    )
)  # fmt: skip
_BYLINES = frozenset(
    str.split(
        "byline documentbyline author authors authorname submitted creator poster postedby "
        "postedon meta "
        "postmeta entrymeta articlemeta metadata postinfo articleinfo entryinfo xinxi "
        "dateline pubdate "
        "posttags entrytags taglinks tags keywords labels postlabels categories entryutility "
        "hits views viewcount viewcounter readingtime timetoread statistics docinfo pageid lastmod "
        "published posted releasedate fecha datum"
    )
)  # fmt: skip
"""Words for who wrote an entry, when, and under which labels."""
_PHRASES = re.compile(
    r"(?:^|[\s_-])(?:"
    r"(?:post|entry|article|page|content|node|blog|story)s?[-_]*(?:navigation|nav)|"
    r"site-(?:info|header|footer|branding|title|nav\w*)|widget(?:-area|_\w+)|sidebar[-_\w]*|"
    r"related[-_]\w+|(?:more|recent|latest|other|similar)[-_](?:posts?|news|articles?|stories|"
    r"entries)|"
    r"share[-_]\w+|social[-_]\w+|\w+[-_]share|cookie[-_]\w+|\w+[-_](?:breadcrumbs?|cookie|consent)|"
    r"table[-_]of[-_]contents|contents-list|skip-(?:link|to)\w*|mw-(?:editsection|jump-link|"
    r"indicators)|"
    r"dw__toc|toc[-_]\w+|back[-_]to[-_]\w+|breadcrumb[-_]\w+|"
    r"(?:main|top|left|right|side|global|primary)[-_]?(?:nav|menu|navigation)|"
    r"(?:left|right)[-_](?:col|column|port|sidebar|menu)|consent-banner\w*|footer[-_]\w+|"
    r"user[-_](?:tools|name|login)|documentActions|portletNews|add-to-calendar|"
    r"[\w-]*file__button|subscribe-dropdown\w*|\w+subscribe\w*"
    r")(?=$|[\s_-])",
    re.I,
)
_BYLINE_PHRASES = re.compile(
    r"(?:^|[\s_-])(?:"
    r"(?:post|entry|article|news|item|page|content|node|blog|story)s?[-_]*"
    r"(?:meta|info|footer|tags?|terms|author|byline|dates?|utility|views|hits|time|details-meta)|"
    r"(?:read|reading|time)[-_]*(?:to[-_]*read|time)|view[-_]count|posted-(?:on|by|in)|entry-date|"
    r"release-?date|publish(?:ed)?[-_](?:date|dates|on|info)|\w+[-_]publish-date|"
    r"date-(?:header|line|display)|"
    r"cat-links|tags-links|rdf-meta|documentByLine|gem-c-metadata|published-dates|lblTime|"
    r"footer-info-lastmod|field--name-(?:field-tags|uid|created|changed|field-categor\w+)|"
    r"field-name-(?:field-tags|taxonomy\w*)|\w+__meta|fecha[-_]\w+|\w+[-_]fecha|date[-_]?time|"
    r"news-date\w*"
    r")(?=$|[\s_-])",
    re.I,
)
_FILES = re.compile(r"(?:^|[-_])(?:files?|attachments?|downloads?|documents?)(?:$|[-_])", re.I)
"""Words in the names of parts with the files of an entry."""
_UNSEEN = re.compile(
    r"(?:^|\s)(?:visually-?hidden|sr-only|screen-reader-text|element-invisible|hide-accessible|"
    r"pkp_screen_reader|a11y|hidden|invisible|d-none|is-hidden)(?:$|\s)"
)
_TITLES = frozenset({"h2", "h3", "h4", "h5", "h6"})
_WRAPPERS = frozenset({"html", "body", "main"})
_OTHERS = re.compile(
    r"related\b.*|more (?:posts|news|articles|stories|like this)|read (?:more|next|also)|"
    r"see also our.*|recent (?:posts|news|articles|comments)|latest (?:news|posts)|"
    r"you (?:may|might) (?:also )?(?:like|be interested).*|also (?:read|of interest)|comments?|"
    r"leave a (?:reply|comment)|post a comment|share(?: this.*)?|follow us.*|tags|categories|"
    r"is this page useful\??|was this (?:page|article) helpful\??|"
    r"articles? (?:similaires?|connexes|récents|associés)|actualités (?:associées|liées|récentes)|"
    r"(?:à|a) lire (?:aussi|également)|voir aussi|sur le même (?:sujet|thème)|lire aussi|"
    r"partager.*|commentaires?|"
    r"laisser un commentaire|contenus? (?:liés?|associés?)|mots[- ]clés|"
    r"(?:noticias|artículos|entradas|contenidos?) (?:relacionad[oa]s?|recientes)|"
    r"(?:te|le) puede interesar|también te puede.*|compartir.*|comentarios?|deja (?:un|una) "
    r".*|etiquetas|"
    r"(?:notícias|artigos|posts|postagens|conteúdos?) (?:relacionad[oa]s?|recentes)|leia "
    r"(?:também|mais)|"
    r"veja também|compartilh.*|partilhar.*|comentários?|marcadores|deixe (?:um|uma) .*|"
    r"(?:похожие|связанные|другие|последние) (?:статьи|новости|материалы|записи)|читайте также|"
    r"по теме|поделиться.*|комментарии|метки|см\. также|"
    r"(?:相关|相關|最新|近期|推荐|推薦|热门|熱門)(?:新闻|新聞|文章|阅读|閱讀|链接|連結|内容|內容|推荐)|"
    r"发表评论|發表(?:迴響|留言|評論)|评论|分享(?:到)?|"
    r"(?:مواضيع|مقالات|أخبار|محتوى|اخبار) (?:ذات صلة|مشابهة|أخرى|متعلقة)|اقرأ أيضا.*|شارك.*|"
    r"تعليقات|التعليقات|"
    r"(?:ข่าว|บทความ|เนื้อหา|เรื่อง)(?:ที่เกี่ยวข้อง|ล่าสุด|อื่นๆ|อื่น ๆ)|แชร์.*|ความคิดเห็น|"
    r"แสดงความคิดเห็น",
    re.I,
)
"""Headings of what follows an entry and is not of it, in the languages of the portals."""


def text_of(element: _Element) -> str:
    """All text of an element, folded."""
    return " ".join("".join(map(str, element.itertext())).split())


def is_short(element: _Element, most: int) -> bool:
    """Whether an element has so many letters at most; reads no further than that."""
    have = 0
    for said in element.itertext():
        have += len(str(said).strip())
        if have > most:
            return False
    return True


def remove(root: _Element, heading: _Element | None) -> None:
    """Take the furniture out of a page, in place, but for the by-lines. ``heading`` is that of its
    entry."""
    remove_invisible(root)
    above = _above(heading)
    most = len(text_of(root)) * MOST_OF_A_PAGE
    for node in _walk(root):
        if node in above or node.tag in _WRAPPERS:
            continue
        sure = _is_unseen(node)
        if (sure or _is_furniture(node)) and (sure or len(text_of(node)) <= most):
            take_out(node)
    _remove_others(root, above, most)


def remove_invisible(root: _Element) -> None:
    """Take out what no browser shows as text: scripts, comments, fields of forms."""
    for node in [*root.iter()]:
        if isinstance(node, _Comment | _ProcessingInstruction) or node.tag in _INVISIBLE:
            take_out(node)


def remove_bylines(root: _Element, heading: _Element | None) -> list[_Element]:
    """Take the by-lines out of a page, in place; returns them in the order of the page."""
    above = _above(heading)
    most = len(text_of(root)) * MOST_OF_A_PAGE
    found = []
    for node in _walk(root):
        if node in above or node.tag in _WRAPPERS:
            continue
        if (is_byline(node) or _is_of_bylines(node)) and len(text_of(node)) <= most:
            take_out(node)
            found.append(node)
    return found


def _is_of_bylines(node: _Element) -> bool:
    """Whether an element holds by-lines and little words between them (``by``, ``in``, ``Tags:``),
    at any depth: themes wrap each of them in boxes of its own."""
    if not is_short(node, 400):
        return False
    found: list[_Element] = []
    within: set[_Element] = set()
    for below in node.iterdescendants():
        if isinstance(below.tag, str) and below not in within and is_byline(below):
            found.append(below)
            within.update(below.iterdescendants())
    return len(found) >= 2 and len(text_of(node)) - sum(map(len, map(text_of, found))) <= 20


def _above(heading: _Element | None) -> set[_Element]:
    return {*heading.iterancestors(), heading} if heading is not None else set()


def _walk(root: _Element) -> Iterator[_Element]:
    """The elements below one, those of parts that are taken out on the way left out."""
    gone: set[_Element] = set()
    for node in [*root.iterdescendants()]:
        if not isinstance(node.tag, str) or node in gone:
            continue
        yield node
        if node.getparent() is None:
            gone.update(node.iterdescendants())


def take_out(node: _Element) -> None:
    """Remove an element, and leave the text behind it where it is."""
    parent = node.getparent()
    if parent is None:
        return
    if node.tail:
        before = node.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + node.tail
        else:
            parent.text = (parent.text or "") + node.tail
        node.tail = None
    parent.remove(node)


def is_of_the_site(node: _Element) -> bool:
    """Whether an element is the head, the foot or the side of a site rather than of an entry."""
    if node.tag == "header":
        return not any(above.tag in ("main", "article") for above in node.iterancestors())
    if node.tag in ("nav", "aside", "footer") or (node.get("role") or "") in (
        "banner",
        "navigation",
    ):
        return True
    if any(
        re.search(r"site-?(?:title|name|branding|header)|logo\b|navbar-brand", name)
        for name in _names(node)
    ):
        return True
    return node.find("a") is not None and node.find("a").get("href") in (
        "/",
        "./",
        "../",
        "index.html",
    )


def _is_unseen(node: _Element) -> bool:
    if "hidden" in node.attrib or node.get("aria-hidden") == "true":
        return True
    return bool(_HIDDEN.search(node.get("style", "")) or _UNSEEN.search(node.get("class", "")))


def _is_furniture(node: _Element) -> bool:
    if node.tag == "header":
        # The head of an entry may hold its first sentence; the head of a site does not.
        return not any(above.tag in ("main", "article") for above in node.iterancestors())
    if (node.get("role") or "").lower() in _ROLES:
        return True
    if node.tag in _AROUND:
        # Some themes put a by-line into a footer.
        return not (node.tag in ("footer", "address") and is_byline(node))
    if not any(_is_named(said, _WORDS, _PHRASES) for said in _names(node)):
        return False
    # Some systems put a date into what they call a footer of the entry, and its files into what
    # they call related.
    return not _holds_a_date(node) and not _holds_files(node)


def _holds_files(node: _Element) -> bool:
    if any(name.endswith("button") for name in _names(node)):
        return False
    if any(_FILES.search(name) for name in _names(node)):
        return True
    if not any("related" in name for name in _names(node)):
        return False
    return any(_FILES.search(name) for below in node.iterdescendants() for name in _names(below))


def is_byline(node: _Element) -> bool:
    """Whether an element says who wrote an entry, when, or under which labels."""
    if node.get("itemprop") in ("author", "datePublished", "dateModified", "publisher", "keywords"):
        return True
    if node.tag == "address" or {"tag", "author"} & set((node.get("rel") or "").split()):
        return True
    if any(_is_named(said, _BYLINES, _BYLINE_PHRASES) for said in _names(node)):
        return True
    return node.tag in ("footer", "div", "p", "ul") and _holds_a_date(node)


def _holds_a_date(node: _Element) -> bool:
    """Whether a short element holds the date of publication, by its markup."""
    if not is_short(node, 200) or node.find(".//h1") is not None:
        return False
    return node.find(".//*[@itemprop='datePublished']") is not None


def _names(node: _Element) -> Iterator[str]:
    for attribute in ("class", "id", "data-hook"):
        for name in (node.get(attribute) or "")[:LONGEST_NAMES].split():
            yield name[:LONGEST_NAME]


def _is_named(name: str, words: frozenset[str], phrases: re.Pattern[str]) -> bool:
    parts = re.split(r"[-_.:]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower())
    parts = [part.rstrip("0123456789") for part in parts if part]
    if not parts:
        return False
    if "".join(parts) in words or phrases.search(name):
        return True
    return parts[0] in words or parts[-1] in words


def _remove_others(root: _Element, above: set[_Element], most: float) -> None:
    """Take out what a heading says is not of the entry, with all that follows within its part."""
    for title in _walk(root):
        said = text_of(title).strip(" :.…–-").casefold() if title.tag in _TITLES else ""
        if title in above or not _OTHERS.fullmatch(said):
            continue
        level = title.tag
        part: list[_Element] = [title]
        for node in title.itersiblings():
            if node.tag in ("h1", *_TITLES) and node.tag <= level:
                break
            part.append(node)
        if sum(len(text_of(node)) for node in part) <= most:
            for node in part:
                take_out(node)
