"""Precast concrete members and drainage pipes. The type mark of a member agrees with its sizes."""

from random import Random

from tests.catalog.enterprise.trade import Part, Trade, Values, dims, listed, roman, say, words

_TYPE = say("type_mark", "{}", "型号{}")
_PIECE = say("piece_mark", "构件号{}", "编号{}", "构件编号:{}")
_STRENGTH = say("strength", "{}", "{}砼", "混凝土{}")
_MARKS = {"type_mark": ("",), "piece_mark": ("",)}


def _dm(values: Values, key: str) -> str:
    return str(round(int(values[key]) / 100))


def _piece(values: Values, letters: str, random: Random) -> None:
    values["piece_mark"] = f"{random.randint(2, 28)}F-{letters}-{random.randint(1, 60):03d}"


def _slab(values: Values, random: Random) -> None:
    """DBS1-67-3620-31: two-way, 60 + 70 mm, 36 dm by 20 dm; one-way marks carry no edge figure."""
    letters = "DBD" if values["direction"].startswith("one") else "DBS1-"
    middle = f"{values['precast_t'][0]}{random.choice('78')}"
    size = f"{_dm(values, 'span')}{_dm(values, 'width')}"
    values["type_mark"] = f"{letters}{middle}-{size}-{random.choice(('1', '3', '31', '22'))}"
    _piece(values, "YB", random)


def _plank(values: Values, random: Random) -> None:
    values["type_mark"] = f"YDB{values['thickness']}-{_dm(values, 'span')}{_dm(values, 'width'):>02}"
    _piece(values, "YDB", random)


def _outer(values: Values, random: Random) -> None:
    values["type_mark"] = f"WQ-{_dm(values, 'length')}{_dm(values, 'height')}"
    _piece(values, "WQ", random)
    if random.random() < 0.4:
        values.pop("insulation_t", None)
        values.pop("outer_t", None)


def _inner(values: Values, random: Random) -> None:
    values["type_mark"] = f"NQ-{_dm(values, 'length')}{_dm(values, 'height')}"
    _piece(values, "NQ", random)


def _beam(values: Values, random: Random) -> None:
    values["type_mark"] = f"DLL-{random.randint(1, 40)}"
    _piece(values, "DL", random)


def _column(values: Values, random: Random) -> None:
    values["type_mark"] = f"YZ-{random.randint(1, 40)}"
    _piece(values, "YZ", random)


def _stair(values: Values, random: Random) -> None:
    letters = "JT" if values["flights"].startswith("single") else "ST"
    values["type_mark"] = f"{letters}-{_dm(values, 'storey_h')}-25"
    _piece(values, "LT", random)


def _balcony(values: Values, random: Random) -> None:
    if values["kind"].startswith("AC"):
        values |= {"length": random.choice(listed("1000 1100 1200")), "overhang": random.choice(listed("600 700 800"))}
        values["type_mark"] = f"KTB-{_dm(values, 'overhang')}-{_dm(values, 'length')}"
    else:
        letter = "B" if values["kind"].startswith("full") else "D"
        values["type_mark"] = f"YTB-{letter}-{_dm(values, 'overhang')}{_dm(values, 'length')}"
    _piece(values, "YT", random)


def _hollow(values: Values, random: Random) -> None:
    values["type_mark"] = f"SP{int(values['thickness']) // 10}-{_dm(values, 'span')}"
    _piece(values, "KB", random)


def _member(code: str, names: tuple[str, ...], *more: Part, **rest: object) -> Trade:
    """What all members have in common: both marks, the concrete, cubic metres or pieces."""
    return Trade(
        code=code,
        category="预制构件",
        names=names,
        parts=(_TYPE, _PIECE, _STRENGTH, *more),
        units=("m3", "m3", "piece:块"),
        **rest,  # type: ignore[arg-type]
    )


TRADES = (
    _member(
        "PC-SLAB",
        ("叠合板", "桁架叠合板", "预制叠合板底板", "桁架钢筋混凝土叠合板"),
        dims(
            "span width precast_t",
            "{span}×{width}×{precast_t}",
            "跨度{span} 宽{width} 预制层厚{precast_t}",
            "标志跨度{span} 板宽{width} 底板厚{precast_t}",
        ),
        words("direction", {"one-way DBD": "单向板|单向", "two-way DBS": "双向板|双向"}),
        draw={
            **_MARKS,
            "span": listed("2700 3000 3300 3600 3900 4200 4800"),
            "width": listed("1200 1500 1800 2000 2400"),
        },
        tells={"type_mark": "span width precast_t direction"},
        fit=_slab,
    ),
    _member(
        "PC-PSLAB",
        ("预应力叠合板底板", "预应力混凝土底板", "预应力底板(叠合板用)"),
        dims(
            "span width thickness",
            "{span}×{width}×{thickness}",
            "跨度{span} 宽{width} 厚{thickness}",
        ),
        draw={**_MARKS, "span": listed("3600 4200 4800 5400 6000 7200")},
        tells={"type_mark": "span width thickness"},
        fit=_plank,
    ),
    _member(
        "PC-XWALL",
        ("预制外墙板", "预制夹心保温外墙板", "PC外墙板", "预制剪力墙外墙"),
        dims("length height", "{length}×{height}", "长{length} 高{height}"),
        say("structural_t", "内叶{}", "内叶板厚{}", "结构层{}mm"),
        say("insulation_t", "保温{}", "保温层厚{}"),
        say("outer_t", "外叶{}", "外叶板厚{}"),
        draw={
            **_MARKS,
            "length": listed("2700 3000 3300 3600 4200"),
            "height": listed("2700 2800 2900 3000"),
            "structural_t": listed("200 200 250"),
            "insulation_t": listed("50 60 80"),
            "outer_t": listed("50 60"),
        },
        optional=("insulation_t", "outer_t"),
        tells={"type_mark": "length height"},
        fit=_outer,
    ),
    _member(
        "PC-IWALL",
        ("预制内墙板", "预制剪力墙内墙", "PC内墙板"),
        dims(
            "length height thickness",
            "{length}×{height}×{thickness}",
            "长{length} 高{height} 厚{thickness}",
        ),
        draw={**_MARKS, "length": listed("1800 2100 2400 3000 3600"), "height": listed("2700 2800 2900 3000")},
        tells={"type_mark": "length height"},
        fit=_inner,
    ),
    _member(
        "PC-BEAM",
        ("预制叠合梁", "叠合梁", "PC叠合梁"),
        dims(
            "width precast_h length",
            "{width}×{precast_h}×{length}",
            "截面{width}×{precast_h} 长{length}",
            "梁宽{width} 预制高{precast_h} L={length}",
        ),
        draw={
            **_MARKS,
            "width": listed("200 250 300 350 400"),
            "precast_h": listed("300 350 420 450 520 600"),
            "length": listed("2400 3600 4200 5400 6600 7800"),
        },
        fit=_beam,
    ),
    _member(
        "PC-COL",
        ("预制柱", "预制混凝土柱", "PC柱"),
        dims("width depth length", "{width}×{depth}×{length}", "截面{width}×{depth} 长{length}"),
        draw={
            **_MARKS,
            "width": listed("400 500 600 700"),
            "depth": listed("400 500 600 700"),
            "length": listed("2850 3000 3300 3600 4200"),
        },
        fit=_column,
    ),
    _member(
        "PC-STAIR",
        ("预制楼梯", "预制混凝土楼梯段", "预制{flights}楼梯", "PC楼梯"),
        say("storey_h", "层高{}", "层高{}mm"),
        say("clear_w", "梯段宽{}", "梯宽{}mm"),
        words("flights", {"single 剪刀": "剪刀", "double 双跑": "双跑"}),
        draw={
            **_MARKS,
            "storey_h": listed("2800 2900 3000 3300"),
            "clear_w": listed("1100 1150 1195 1200 1225"),
        },
        tells={"type_mark": "storey_h flights"},
        fit=_stair,
    ),
    _member(
        "PC-BALC",
        ("预制阳台板/空调板", "{kind}"),
        words(
            "kind",
            {
                "full precast 全预制": "全预制阳台板|预制阳台(全预制)",
                "composite 叠合": "叠合阳台板|叠合式阳台板",
                "AC slab 空调板": "预制空调板|空调板",
            },
        ),
        dims("length overhang", "长{length} 挑出{overhang}", "{length}×{overhang}(挑)", "长{length} 悬挑{overhang}"),
        draw={
            **_MARKS,
            "length": listed("2400 2700 3000 3300 3600"),
            "overhang": listed("1000 1200 1400"),
        },
        tells={"type_mark": "kind length overhang"},
        fit=_balcony,
    ),
    _member(
        "PC-HCS",
        ("预应力空心板", "SP预应力空心板", "预应力混凝土空心板"),
        dims("span width thickness", "{span}×{width}×{thickness}", "跨度{span} 板宽{width} 板厚{thickness}"),
        draw={**_MARKS, "span": listed("3600 4200 4800 6000 7200 9000 12000")},
        tells={"type_mark": "span thickness"},
        fit=_hollow,
    ),
    Trade(
        code="PC-PIPE",
        category="市政管材",
        names=("钢筋混凝土排水管", "混凝土排水管", "水泥管", "{joint}钢筋混凝土管"),
        parts=(
            say("dn", "DN{}", "d{}", "内径{}"),
            roman("class", "级"),
            words(
                "joint",
                {
                    "spigot-socket 承插口": "承插口|承插式",
                    "rebated 企口": "企口|企口式",
                    "steel socket 钢承口": "钢承口|F型钢承口",
                },
            ),
            say("length", "L={}m", "{}m", "{}米/节", "有效长度{}m"),
        ),
        units=("m", "m", "piece:节"),
    ),
)
