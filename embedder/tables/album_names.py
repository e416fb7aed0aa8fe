"""Folder names that are no people's: years, months, dates, and what cameras, phones and apps call their folders.

Accents and case do not count. The words are those of English, German, French, Spanish, Portuguese, Italian, Dutch,
Polish, Swedish, Danish, Turkish, Russian, Chinese, Japanese and Korean systems; the names of cameras' folders follow
the standard DCF (JEITA CP-3461).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

N_SHOWN = 5

_MIN_MONTHS = 4
"""So many different names of months are months; April, May and June may be three sisters."""

_MIN_NUMBERED = 3
"""Where so many names are numbers but no years, the numbers stand for people, as in research data."""

_MONTHS = """
january february march april may june july august september october november december januar februar marz maerz
mai juni juli oktober dezember janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre janeiro fevereiro
marco maio junho julho setembro outubro novembro dezembro gennaio febbraio aprile maggio giugno luglio
settembre ottobre dicembre januari februari maart mei augustus styczen luty marzec kwiecien maj czerwiec lipiec
sierpien wrzesien pazdziernik listopad grudzien augusti marts ocak subat nisan mayis haziran temmuz agustos
eylul ekim kasim aralik январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь jan feb
mar apr jun jul aug sep sept oct okt nov dec dez
"""

_SEASONS = """
spring summer autumn fall winter fruhling fruhjahr sommer herbst weihnachten ostern urlaub ferien printemps ete
automne hiver noel vacances primavera verano otono invierno navidad vacaciones estate autunno inverno natale
vacanze lente zomer herfst kerst vakantie wiosna lato jesien zima wakacje лето осень зима весна отпуск holiday
holidays vacation christmas xmas easter trip
"""

_CAMERA_FOLDERS = """
dcim, camera, camera roll, camera uploads, kamera, appareil photo, camara, fotocamera, aparat, камера, 相机,
カメラ, 카메라, screenshots, screenshot, screen recordings, bildschirmfotos, captures d'ecran,
capturas de pantalla, capturas, capturas de tela, schermate, schermafbeeldingen, zrzuty ekranu, skarmbilder,
skaermbilleder, ekran goruntuleri, снимки экрана, скриншоты, 截图, 屏幕截图, スクリーンショット, 스크린샷,
selfies, panoramas, bursts, live photos, portrait, time-lapse, slow-mo, saved pictures
"""

_APP_FOLDERS = """
whatsapp, whatsapp images, whatsapp photos, whatsapp animated gifs, whatsapp profile photos, whatsapp bilder,
whatsapp business images, telegram, telegram images, telegram desktop, signal, instagram, snapchat, facebook,
messenger, viber, viber images, wechat, weixin, 微信, kakaotalk, 카카오톡, twitter, tiktok, pinterest, reddit,
discord, skype, threema, tumblr, snapseed, bluetooth, airdrop, sent, received, received files
"""

_OTHER_FOLDERS = """
photos, photo, pictures, my pictures, images, image, pics, bilder, fotos, foto, meine bilder, mes images,
imagenes, imagens, immagini, afbeeldingen, foto's, obrazy, zdjecia, resimler, изображения, фото, фотографии,
фотки, 图片, 照片, 写真, ピクチャ, 사진, photo library, google photos, icloud photos, icloud, onedrive,
dropbox, album, albums, alben, albumes, library, gallery, galerie, favorites, favourites, favoriten, trash,
papierkorb, downloads, download, telechargements, descargas, scaricati, pobrane, загрузки, imports, import,
imported, inbox, exports, export, edited, originals, original, raw, jpg, jpeg, misc, miscellaneous,
verschiedenes, sonstiges, divers, varios, varie, other, others, andere, various, unsorted, unsortiert, sorted,
new folder, neuer ordner, nouveau dossier, nueva carpeta, nova pasta, nuova cartella, nieuwe map, nowy folder,
новая папка, untitled, untitled folder, backup, backups, old, archive, archiv, scans, wallpapers, wallpaper,
hintergrundbilder, temp, tmp, thumbnails, test, videos
"""

_YEAR = r"(?:1[89]|20)\d\d"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_YEAR}s?\s*(?:[-–_/]|to|bis)\s*(?:{_YEAR}|\d\d)",  # 2019-2021
        rf"{_YEAR}s",
        rf"{_YEAR}[-_. ]?(?:0[1-9]|1[0-2])(?:[-_. ]?(?:0[1-9]|[12]\d|3[01]))?(?:\b|_).*",  # 2023-05-06 Rome
        rf"{_YEAR}(?:0[1-9]|1[0-2])(?:_[a-z_0-9]?|_.*)",  # 202305_a of iPhones
        rf"(?:0?[1-9]|[12]\d|3[01])[-_. ](?:0?[1-9]|1[0-2])[-_. ]{_YEAR}.*",  # 06.05.2023
        rf"(?:0?[1-9]|1[0-2])[-_. ]{_YEAR}",
        rf"{_YEAR}\s*[-_ ]\s*\D.*",  # 2023 Rome
        rf"{_YEAR}年.*|{_YEAR}년.*|(?:0?[1-9]|1[0-2])\s*[月월]",
        rf"(?:photos|fotos|bilder|photos de|fotos de|foto del|zdjecia z) (?:from |von |aus )?{_YEAR}",  # Google Takeout
        r"[1-9]\d\d(?=\w*[a-z_])[0-9a-z_]{5}",  # 100CANON, 101MSDCF, 102_PANA: DCF
        r"(?:img|imag|dsc[nf]?|pxl|mvimg|image|photo|foto|pict|vid|wa)[-_ ]?\d{3,}.*",  # file names of cameras
        r"new folder \(\d+\)|neuer ordner \(\d+\)|untitled folder \d+",
    )
)
_BARE_DATE = re.compile(rf"{_YEAR}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?)?")


def find_albums(names: Iterable[str]) -> list[str]:
    """Return the names that are albums' rather than people's, sorted.

    Numbers are years and dates only where no other numbers stand beside them, and a month's name alone counts only
    where several do.

    >>> find_albums(["Anna", "2023", "DCIM", "100CANON", "WhatsApp Images", "2022-12 Rome", "Mai 2021", "April"])
    ['100CANON', '2022-12 Rome', '2023', 'DCIM', 'Mai 2021', 'WhatsApp Images']
    >>> find_albums(["1999", "2000", "2001", "7", "8", "12345"])
    []
    """
    bare = {name: _bare(name) for name in names if name}
    numbers = {text for text in bare.values() if text.isdecimal()}
    dates = {text for text in numbers if _BARE_DATE.fullmatch(text)}
    months = {text for text in bare.values() if text in _MONTH_WORDS}
    albums = {text for text in bare.values() if not text.isdecimal() and _is_album(text)}
    if len(numbers) - len(dates) < _MIN_NUMBERED:
        albums |= dates
    if len(months) >= _MIN_MONTHS:
        albums |= months
    return sorted(name for name, text in bare.items() if text in albums)


def describe_albums(names: Sequence[str], *, why: str = "") -> str:
    """Return one line that asks whether `names` are people, with the remedy.

    >>> describe_albums(["2023", "DCIM"])[:50]
    'these look like albums, not people: 2023, DCIM; ru'
    """
    return (
        f"these look like albums, not people{why}: {list_names(names)}; run embed again with --identity-from none, "
        "which embeds no photo again, then group the faces: facetable cluster"
    )


def describe_one_folder(name: str) -> str:
    """Return one line that asks whether `name`, the only folder there is, is a person, with the remedy.

    >>> describe_one_folder("Rome")[:58]
    'all named photos are in one folder, Rome: is that a person'
    """
    return (
        f"all named photos are in one folder, {name}: is that a person? If it is an album of many, embed that folder "
        "itself, or run again with --identity-from none, which embeds no photo again"
    )


def list_names(names: Sequence[str]) -> str:
    """Return the first few of `names` as text, and how many more there are."""
    more = len(names) - N_SHOWN
    return ", ".join(names[:N_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _bare(text: str) -> str:
    """Return `text` without accents, in lower case, with single spaces."""
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return " ".join(unicodedata.normalize("NFC", "".join(letters)).casefold().replace("’", "'").split())


_MONTH_WORDS = frozenset(map(_bare, _MONTHS.split()))
_WORDS_OF_TIME = _MONTH_WORDS | frozenset(map(_bare, _SEASONS.split()))
_FOLDER_NAMES = frozenset(
    _bare(name) for text in (_CAMERA_FOLDERS, _APP_FOLDERS, _OTHER_FOLDERS) for name in text.split(",")
)
_YEAR_INSIDE = re.compile(rf"(?<!\d){_YEAR}(?!\d)")
_WORDS = re.compile(r"[^\W\d_]+")


def _is_album(text: str) -> bool:
    if text in _FOLDER_NAMES or any(pattern.fullmatch(text) for pattern in _PATTERNS):
        return True
    # Weihnachten 2022, 05 Mai: words of time with a year or behind a number, not a second Jan called Jan 2.
    words = _WORDS.findall(text)
    is_dated = text[0].isdigit() or _YEAR_INSIDE.search(text) is not None
    return bool(words) and is_dated and all(word in _WORDS_OF_TIME for word in words)
