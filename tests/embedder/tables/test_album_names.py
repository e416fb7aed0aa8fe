"""Which folder names are albums' and which are people's."""

import pytest

from embedder.tables.album_names import describe_albums, describe_one_folder, find_albums

ALBUMS = [
    *("2023", "1998", "2019-2021", "1990s", "2023-05", "2023-05-06", "2023-05-06 Rome", "20230506", "2023_05_06"),
    *("06.05.2023", "2023.05.06 Hochzeit", "05-2023", "202305_a", "202305__", "2023 Italien", "2015 - Hochzeit"),
    *("Summer 2023", "Weihnachten 2022", "Mai 2021", "05 May", "Été 2019", "2023年5月", "5月"),
    *("DCIM", "100CANON", "101MSDCF", "100APPLE", "102_PANA", "100_FUJI", "100D3200", "100ANDRO", "Camera Uploads"),
    *(
        "WhatsApp Images",
        "Camera Roll",
        "Screenshots",
        "Capturas de pantalla",
        "Captures d’écran",
        "Telegram",
    ),
    *(
        "Снимки экрана",
        "微信",
        "카카오톡",
    ),
    *("スクリーンショット", "Photos from 2021", "Fotos von 2020", "Zdjęcia"),
    *("IMG_1234", "DSC00012", "PXL_20230506_1", "New Folder (2)", "Bilder", "Downloads", "Instagram"),
]
PEOPLE = [
    *("Anna", "April", "May", "June", "Jan Novak", "Jan 2", "Mai Linh", "Line", "Anna 2019", "Bob2", "007", "Agent 47"),
    *("Noel", "Easter", "Natale", "Summer", "Autumn Reeser", "Winter", "Archie", "Paris Hilton", "n000001", "p01"),
    *("id12345", "m.0abc12", "Old Joe", "Raw Sienna", "Test Person", "Image Makers", "May Britt", "Octavia", "unknown"),
    *("X Æ A-12", "Elizabeth II", "John Paul 2", "Zoë", "王小明", ""),
]


@pytest.mark.parametrize("name", ALBUMS)
def test_albums(name):
    assert find_albums(["Anna", name]) == [name]


def test_people():
    assert find_albums(PEOPLE) == []
    assert find_albums([*PEOPLE, *ALBUMS]) == sorted(ALBUMS)
    assert find_albums([]) == []


def test_months_alone_count_where_there_are_several():
    assert find_albums(["January", "Februar", "März", "Anna"]) == []
    assert find_albums(["January", "Februar", "März", "April", "Anna"]) == [
        "April",
        "Februar",
        "January",
        "März",
    ]


def test_numbers_of_people_are_no_years():
    assert find_albums(str(number) for number in range(1, 10_178)) == []  # as CelebA calls its people
    assert find_albums(f"{number:07d}" for number in range(3000)) == []
    assert find_albums(["1999", "2000", "7"]) == ["1999", "2000"]


def test_one_line_with_the_remedy():
    assert describe_albums([str(year) for year in range(2015, 2024)]) == (
        "these look like albums, not people: 2015, 2016, 2017, 2018, 2019 and 4 more; run embed again with "
        "--identity-from none, which embeds no photo again, then group the faces: facetable cluster"
    )
    assert "all named photos are in one folder, Rome: is that a person?" in describe_one_folder("Rome")


@pytest.mark.realdata
def test_names_of_real_people_are_none_of_albums(data):
    names = [folder.name for folder in (data / "lfw" / "images").iterdir()]
    assert len(names) > 4000 and find_albums(names) == []
