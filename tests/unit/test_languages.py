"""The languages of small data sets in several scripts."""

# ruff: noqa: RUF001 # letters of other scripts

from __future__ import annotations

import random

import pytest

from winnow.datasets.languages import SAMPLE, Sample, languages_of
from winnow.datasets.report import FEEDBACK, Counting
from winnow.domain.dataset import Ceilings, Example

TEXTS = {
    "en": ["The radiator stays cold all day", "My flat is freezing, the heating is off", "No hot water since yesterday"],
    "de": ["Der Heizkörper bleibt den ganzen Tag kalt", "Meine Wohnung ist eiskalt", "Seit gestern kein warmes Wasser"],
    "es": ["El radiador está frío todo el día", "Mi piso está helado", "No hay agua caliente desde ayer"],
    "fr": ["Le radiateur reste froid toute la journée", "Mon appartement est glacé", "Pas d'eau chaude depuis hier"],
    "pl": ["Kaloryfer jest zimny przez cały dzień", "W moim mieszkaniu jest lodowato", "Od wczoraj nie ma ciepłej wody"],
    "tr": ["Radyatör bütün gün soğuk kalıyor", "Dairem buz gibi", "Dünden beri sıcak su yok"],
    "ru": ["Батарея весь день холодная", "В моей квартире очень холодно", "Со вчерашнего дня нет горячей воды"],
    "uk": ["Батарея весь день холодна", "У моїй квартирі дуже холодно", "Від учора немає гарячої води"],
    "ar": ["المدفأة باردة طوال اليوم", "شقتي باردة جدا", "لا يوجد ماء ساخن منذ أمس"],
    "fa": ["رادیاتور تمام روز سرد است", "آپارتمان من خیلی سرد است", "از دیروز آب گرم نداریم"],
    "hi": ["रेडिएटर पूरे दिन ठंडा रहता है", "मेरा घर बहुत ठंडा है", "कल से गर्म पानी नहीं है"],
    "zh": ["暖气片整天都是凉的", "我家很冷，暖气没有开", "iPhone手机没有信号"],
    "ja": ["ラジエーターが一日中冷たいままです", "部屋がとても寒い", "昨日からお湯が出ません"],
    "ko": ["라디에이터가 하루 종일 차갑습니다", "집이 너무 추워요", "어제부터 온수가 안 나와요"],
    "th": ["หม้อน้ำเย็นตลอดทั้งวัน", "ห้องของฉันหนาวมาก", "ไม่มีน้ำร้อนตั้งแต่เมื่อวาน"],
    "km": ["វិទ្យុសកម្មត្រជាក់ពេញមួយថ្ងៃ"],
    "el": ["Το καλοριφέρ είναι κρύο όλη μέρα"],
    "he": ["הרדיאטור קר כל היום"],
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_small_data_set_has_its_language_alone(language: str) -> None:
    assert languages_of(TEXTS[language]) == {language: 1.0}


def test_a_mixed_data_set_has_the_shares() -> None:
    mixed = [*TEXTS["de"] * 3, *TEXTS["zh"], "123", "!"]
    assert languages_of(mixed) == {"de": 0.75, "zh": 0.25}


def test_a_single_text_that_looks_otherwise_does_not_count_and_one_of_another_script_does() -> None:
    assert languages_of(["ok", "refund please", "yes", "card lost yesterday", "hello there", "where is my card"]) == {"en": 1.0}
    assert languages_of([*TEXTS["en"], TEXTS["ko"][0]]) == {"en": 0.75, "ko": 0.25}


def test_texts_without_letters_have_no_language() -> None:
    assert languages_of(["123", "🙂", "", "https://example.com/buongiorno"]) == {}


def test_less_than_two_percent_is_left_out() -> None:
    assert languages_of(TEXTS["en"] * 40 + TEXTS["ko"][:2]) == {"en": 0.9836}


def test_a_sample_is_bounded_and_the_same_in_any_order() -> None:
    texts = [f"text {number}" for number in range(3 * SAMPLE)]
    shuffled = random.Random(0).sample(texts * 2, 2 * len(texts))
    one, other = Sample(), Sample()
    for text in texts:
        one.add(text)
    for text in shuffled:
        other.add(text)
    assert len(one) == len(other) == SAMPLE
    assert sorted(one._kept) == sorted(other._kept)


def report(texts: list[str], of: str = "the data set") -> Counting:
    counting = Counting(Ceilings(), of=of)
    for row, text in enumerate(texts):
        counting.add(Example(text, ("even" if row % 2 else "odd",), row + 1))
    return counting


def test_the_report_warns_of_languages_that_the_encoder_does_not_speak() -> None:
    mixed = report([f"{text} {number}" for number in range(6) for text in (*TEXTS["en"], *TEXTS["de"])]).report()
    assert mixed.as_dict()["languages"] == [{"language": "de", "share": 0.5}, {"language": "en", "share": 0.5}]
    assert mixed.as_dict()["language_texts"] == 36
    [warning] = [found for found in mixed.read_by({"en"}).problems if found.kind == "foreign-language"]
    assert warning.sentence == (
        "The sentence encoder doesn't speak de (50% of the texts), only en. `linear` reads every language, and `auto` measures"
        " which recipe is better."
    )
    assert not warning.kind.refuses
    for spoken in ({"en", "de"}, None):
        assert mixed.read_by(spoken) == mixed


def test_few_texts_give_no_warning_and_feedback_has_no_languages() -> None:
    few = report(TEXTS["de"]).report()
    assert few.languages == {"de": 1.0}
    assert few.read_by({"en"}) == few
    assert report(TEXTS["de"], FEEDBACK).report().languages == {}
