"""Invented names; some hold rare characters of real village names (塆, 漷, 墘) that fonts and encodings often lose."""

from __future__ import annotations

import numpy as np

COUNTY = "云泊县"
BANK = "云泊农商银行"
OTHER_BANK = "泊州村镇银行"
#: The county seat first; then seven towns and four rural townships.
TOWNSHIPS = (
    "漷阳街道",
    "青塆镇",
    "石墘镇",
    "云溪口镇",
    "白鹭滩镇",
    "大枫树镇",
    "泊家河镇",
    "龙栖坪镇",
    "鹤垭乡",
    "苦竹岭乡",
    "雾塆乡",
    "松漷乡",
)
_FIRST = "青白红黄乌石云龙鹤松柏竹桐枫桂梅莲荷菱稻禾麻茶柿栗枣杨柳苏梁罗贺彭邹覃向望牛马羊鹿燕雁鹭九三双长高金银铁"
_MIDDLE = "家龙子树水花桥石山"
_LAST_HILLS = "坪岭垭冲坡岗塆沟墘坳寨岩"
_LAST_PLAIN = "塆畈湖坝桥店墩港墘渡洲漷井"
_LAST_TOWN = "桥门街井园坊台苑"
_SURNAMES = "陈李王张刘杨黄赵吴周徐孙马朱胡林郭何高罗覃向邹望"
_GIVEN = (
    "安邦昌春大德东芳福光国海红华辉建杰金军兰丽良林梅明宁平青荣瑞山胜书水松涛文武祥晓新秀雪亚燕阳英勇玉云泽珍振正志忠"
)


class NameBook:
    """Names, each given once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._taken: set[str] = set()

    def _pick(self, characters: str) -> str:
        return characters[int(self._rng.integers(len(characters)))]

    def village(self, height: float, *, urban: bool) -> str:
        """Name of a village (``村``), or of a residents' community (``社区``) where ``urban``."""
        last = _LAST_TOWN if urban else _LAST_HILLS if height > 0.5 else _LAST_PLAIN
        while True:
            stem = self._pick(_FIRST) + (self._pick(_MIDDLE) if self._rng.random() < 0.6 else "") + self._pick(last)
            if stem not in self._taken and len(set(stem)) == len(stem):
                self._taken.add(stem)
                return stem + ("社区" if urban else "村")

    def person(self) -> str:
        """Name of a member of staff."""
        while True:
            given = self._pick(_GIVEN) + (self._pick(_GIVEN) if self._rng.random() < 0.8 else "")
            name = self._pick(_SURNAMES) + given
            if name not in self._taken:
                self._taken.add(name)
                return name
