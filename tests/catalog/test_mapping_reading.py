"""Codes as enterprises write them, in every trade: each row names one variant, and the first candidate is that one."""

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.mapping import judge
from services.catalog.mapping.judging import CodeRow, Evidence
from services.catalog.mapping.rules import RowState

ROWS = [
    ("螺纹钢", "HRB400E Φ20*12000", "t", "RB-HRB|diameter=20,grade=HRB400E,length=12"),
    ("热轧带肋钢筋", "HRB400E 直径25 9m", "吨", "RB-HRB|diameter=25,grade=HRB400E,length=9"),
    ("钢筋", "C20 12m 三级抗震", "吨", "RB-HRB|diameter=20,grade=HRB400E,length=12"),
    ("盘螺", "HRB400E Φ8", "t", "RB-COIL|diameter=8,grade=HRB400E"),
    ("圆钢", "HPB300 φ10", "吨", "RB-HPB|diameter=10,grade=HPB300"),
    ("高线 HPB300", "8", "t", "RB-HPB|diameter=8,grade=HPB300"),
    ("钢绞线", "1×7-15.2-1860", "t", "RB-STRAND|diameter=15.2,strength=1860,structure=1x7"),
    ("直螺纹套筒", "Φ25 I级", "个", "RB-COUPLER|bar_dia=25,joint_grade=I,kind=straight thread 直螺纹"),
    (
        "灌浆套筒",
        "半灌浆 20 球墨铸铁",
        "个",
        "RB-SLEEVE|bar_dia=20,kind=half grout 半灌浆,material=ductile iron 球墨铸铁",
    ),
    ("H型钢", "HN400×200×8×13 Q355B 12m", "t", "ST-H|grade=Q355B,length=12,series=HN,spec=400x200x8x13"),
    ("热轧H型钢", "Q235B HW300*300*10*15 L=12000", "吨", "ST-H|grade=Q235B,length=12,series=HW,spec=300x300x10x15"),
    ("工字钢", "I20a Q235B", "t", "ST-SEC|grade=Q235B,shape=I 工字钢,spec=20a"),
    ("槽钢", "[10 Q235B", "吨", "ST-SEC|grade=Q235B,shape=channel 槽钢,spec=10"),
    ("角钢", "L50×50×5 Q235B", "吨", "ST-SEC|grade=Q235B,shape=equal angle 等边角钢,spec=50x50x5"),
    ("角钢", "∠100*63*8 Q235B", "吨", "ST-SEC|grade=Q235B,shape=unequal angle 不等边角钢,spec=100x63x8"),
    ("钢板", "Q355B 20×2200×8000", "t", "ST-PLATE|grade=Q355B,length=8,thickness=20,width=2.2"),
    ("中厚板", "20mm*2.2m*8m Q235B", "t", "ST-PLATE|grade=Q235B,length=8,thickness=20,width=2.2"),
    ("方管", "Q235B 100×100×4 6m", "t", "ST-RHS|grade=Q235B,length=6,spec=100x100x4"),
    ("无缝钢管", "Φ159×6 20#", "t", "ST-SMLS|grade=20,od=159,t=6"),
    ("无缝管", "159*6 Q355B", "米", "ST-SMLS|grade=Q355B,od=159,t=6"),
    ("高强螺栓", "10.9S M20×70 大六角", "套", "ST-BOLT|class=10.9S,diameter=M20,kind=large hex 大六角头,length=70"),
    ("扭剪型高强度螺栓", "M22*80 10.9级", "套", "ST-BOLT|class=10.9S,diameter=M22,kind=torshear 扭剪型,length=80"),
    ("商品混凝土", "C30 坍落度180±20", "m3", "CN-RMC|slump=180,strength=C30"),
    ("商砼", "C35P8 坍落度160mm 泵送", "立方", "CN-RMC|impermeability=P8,slump=160,strength=C35"),
    ("水泥", "P.O42.5R 袋装", "吨", "CN-CEM|form=bag 袋装,kind=P.O,strength=42.5R"),
    ("普通硅酸盐水泥", "PO42.5散装", "t", "CN-CEM|form=bulk 散装,kind=P.O,strength=42.5"),
    ("复合硅酸盐水泥", "32.5R 袋装", "t", "CN-CEM|form=bag 袋装,kind=P.C,strength=32.5R"),
    ("机制砂", "细度模数2.6 II类", "t", "CN-SAND|class=II,fineness=2.6,kind=manufactured 机制砂"),
    ("碎石", "5-20mm Ⅱ类", "吨", "CN-AGG|class=II,kind=crushed 碎石,size_range=5-20"),
    ("碎石", "5~31.5 连续级配 I类", "t", "CN-AGG|class=I,kind=crushed 碎石,size_range=5-31.5"),
    ("砌筑砂浆", "DM M7.5 散装", "t", "CN-MOR|form=silo bulk 散装,kind=DM masonry 砌筑,strength=M7.5"),
    ("干混抹灰砂浆", "DP M15 袋装", "吨", "CN-MOR|form=bag 袋装,kind=DP plaster 抹灰,strength=M15"),
    ("套筒灌浆料", "85MPa 常温型", "袋", "CN-GROUT|strength_28d=85,use=normal 常温"),
    ("管桩", "PHC-500(100)AB-12", "m", "CN-PILE|kind=PHC,length=12,model=AB,od=500,wall=100"),
    ("预应力管桩", "PHC 400 AB 95-10", "米", "CN-PILE|kind=PHC,length=10,model=AB,od=400,wall=95"),
    ("覆膜模板", "1830*915*15", "张", "FS-PLY|facing=film faced 覆膜,size=1830x915,thickness=15"),
    ("脚手架钢管", "Φ48.3×3.6 6m", "米", "FS-TUBE|length=6,spec=48.3x3.6"),
    ("架管", "48*3.0*6000", "根", "FS-TUBE|length=6,spec=48x3.0"),
    ("扣件", "直角", "个", "FS-CLAMP|kind=right angle 直角"),
    ("十字扣件", "", "个", "FS-CLAMP|kind=right angle 直角"),
    ("盘扣立杆", "Φ60.3 2.0m Z型", "t", "FS-DISC|length=2,model=Z 60.3,part=standard 立杆"),
    (
        "加气混凝土砌块",
        "600*240*200 A5.0 B06",
        "m3",
        "WL-AAC|density=B06,height=200,length=600,strength=A5.0,width=240",
    ),
    (
        "烧结多孔砖",
        "页岩 MU10 240×115×90",
        "块",
        "WL-BRICK|kind=perforated 多孔,raw=shale 页岩,size=240x115x90,strength=MU10",
    ),
    ("混凝土小型空心砌块", "390×190×190 MU7.5", "块", "WL-CBLK|kind=hollow H,size=390x190x190,strength=MU7.5"),
    (
        "ALC墙板",
        "隔墙 3000×600×100 A3.5",
        "m3",
        "WL-ALC|length=3000,strength=A3.5,thickness=100,use=partition 隔墙,width=600",
    ),
    ("轻质隔墙板", "陶粒 2800*600*120", "㎡", "WL-PANEL|length=2800,material=ceramsite 陶粒,thickness=120,width=600"),
    ("石膏板", "普通 2400×1200×9.5", "张", "WL-GYP|kind=normal 普通,size=2400x1200,thickness=9.5"),
    ("耐水纸面石膏板", "3000*1200*12", "张", "WL-GYP|kind=moisture 耐水,size=3000x1200,thickness=12"),
    ("竖龙骨", "75×45×0.6 镀锌量100", "米", "WL-STUD|part=C stud 竖龙骨,section=75x45,thickness=0.6,zinc=100"),
    (
        "钢质防火门",
        "甲级 FM1021 单扇",
        "樘",
        "DW-FIRE|height=2100,leaf=single,material=steel 钢质,rating=A1.50 甲级,width=1000",
    ),
    (
        "木质防火门",
        "乙级 双扇 1500*2100",
        "樘",
        "DW-FIRE|height=2100,leaf=double,material=wood 木质,rating=A1.00 乙级,width=1500",
    ),
    ("SBS防水卷材", "II PY PE 4mm", "㎡", "WI-SBS|reinforcement=PY polyester,surface=PE,thickness=4,type=II"),
    (
        "SBS改性沥青防水卷材",
        "聚酯胎 Ⅱ型 PE膜 3mm",
        "m2",
        "WI-SBS|reinforcement=PY polyester,surface=PE,thickness=3,type=II",
    ),
    ("聚氨酯防水涂料", "单组分 I型 A", "kg", "WI-PU|class=I,component=S single,voc=A"),
    ("EPS板", "20kg/m³ 50mm B1", "m3", "WI-EPS|density=20,fire=B1,thickness=50"),
    ("挤塑板", "X250 50mm B1级", "㎡", "WI-XPS|fire=B1,grade=X250,thickness=50"),
    ("岩棉板", "100厚 140kg/m3 TR10", "m3", "WI-ROCK|density=140,kind=board 板,tensile=TR10,thickness=100"),
    ("PPR管", "De25 S3.2", "m", "ME-PPR|dn=25,series=S3.2"),
    ("PPR冷热水管", "dn20*2.8 S3.2", "米", "ME-PPR|dn=20,series=S3.2"),
    ("UPVC排水管", "De110×3.2", "m", "ME-UPVC|dn=110,wall=3.2"),
    ("PVC-U排水管", "Φ110*3.2", "米", "ME-UPVC|dn=110,wall=3.2"),
    ("镀锌钢管", "DN100×4.0", "t", "ME-GSP|dn=100,wall=4,zinc=true"),
    ("球墨铸铁管", "DN300 K9 T型 水泥内衬", "m", "ME-DIP|class=K9,dn=300,joint=T,lining=cement 水泥"),
    ("对夹蝶阀", "DN100 PN16 蜗轮", "台", "ME-VALVE|actuator=gear 蜗轮,dn=100,end=wafer 对夹,pn=16"),
    ("法兰蝶阀 D341X-16", "DN150 涡轮", "个", "ME-VALVE|actuator=gear 蜗轮,dn=150,end=flanged 法兰,pn=16"),
    ("电缆", "ZC-YJV22 3*95+2*50", "米", "ME-CABLE|cores=3x95+2x50,fire=ZC,model=YJV22"),
    ("电线", "BV 2.5mm² 红", "卷", "ME-WIRE|colour=red,model=BV,section=2.5"),
    ("塑铜线", "BVR-4 黄绿双色", "卷", "ME-WIRE|colour=yellow-green,model=BVR,section=4"),
    ("镀锌风管", "500×320 δ=0.75 低压 TDC", "㎡", "ME-DUCT|joint=TDC,pressure=low,section=500x320,thickness=0.75"),
    (
        "槽式桥架",
        "200×100×1.5 镀锌",
        "m",
        "ME-TRAY|finish=galvanised 镀锌,height=100,kind=trough 槽式,thickness=1.5,width=200",
    ),
    ("LED筒灯", "12W 4000K IP44", "个", "ME-LED|cct=4000,ip=IP44,kind=downlight 筒灯,power=12"),
    ("下垂型喷头", "68℃ K80", "只", "ME-SPRK|k=80,kind=pendent 下垂,temp=68"),
    ("坐便器", "连体 坑距305 4.8L 2级", "套", "IK-WC|efficiency=2,kind=close-coupled 连体,rough_in=305,water=4.8"),
    ("面盆龙头", "1级水效", "个", "IK-TAP|efficiency=1,kind=basin 面盆"),
    ("瓷质砖", "600×600", "㎡", "FN-TILE|kind=BIa porcelain 瓷质,size=600x600"),
    ("抛光砖 瓷质", "800*800mm", "m2", "FN-TILE|kind=BIa porcelain 瓷质,size=800x800"),
    ("内墙乳胶漆", "优等品 白色", "kg", "FN-PAINT|colour=白色,grade=premium 优等"),
    ("膨胀螺栓", "M10*100 镀锌 Q235", "套", "MR-ANCHOR|finish=zinc 镀锌,material=Q235,spec=M10x100"),
    ("安全帽", "", "顶", "MR-PPE|kind=helmet 安全帽"),
    ("再生骨料", "粗骨料 II类", "t", "RC-AGG|class=II,kind=coarse 再生粗骨料"),
    ("钢筋混凝土排水管", "DN600 II级 承插口 2m", "m", "PC-PIPE|class=II,dn=600,joint=spigot-socket 承插口,length=2"),
    (
        "铝合金窗",
        "70系列 平开 5+12A+5 1500×1800",
        "㎡",
        "DW-ALW|glass=5+12A+5,height=1800,opening=casement 平开,series=70,width=1500",
    ),
    ("塑钢窗", "60系列 推拉", "㎡", "DW-PVW|opening=sliding 推拉,series=60"),
]


def first(name: str, spec: str, unit: str) -> str | None:
    proposal = judge().proposed(judge().read(CodeRow(legacy_code="A", name=name, spec=spec, unit=unit)), Evidence())
    key: str | None = proposal.candidates[0]["variant_key"] if proposal.candidates else None
    return key


@pytest.mark.parametrize(("name", "spec", "unit", "key"), ROWS)
def test_a_row_is_read_as_a_person_of_the_trade_would(name: str, spec: str, unit: str, key: str):
    assert first(name, spec, unit) == key


@pytest.mark.parametrize(
    ("name", "spec", "unit"),
    [
        ("防火门闭门器", "甲级 钢质 1000×2100 单扇", "个"),
        ("螺纹钢", "HRB335 Φ20 12m", "t"),
        ("螺纹钢", "HRB400E Φ20 12m 旧料45", "t"),
        ("内墙涂料 浅灰色", "一等品 颜色米白", "kg"),
        ("镀锌钢管", "DN90×4.0", "t"),
        ("螺纹钢", "HRB400E Φ20 12m", ""),
    ],
)
def test_what_is_not_wholly_understood_is_never_accepted_without_a_person(name: str, spec: str, unit: str):
    row = CodeRow(legacy_code="A", name=name, spec=spec, unit=unit)
    assert judge().proposed(judge().read(row), Evidence()).state is not RowState.AUTO_ACCEPTED


@settings(deadline=None, max_examples=60)
@given(st.text("钢筋板管型级厚×*xXΦφDNdn0123456789./-+~±()（）Mm²HRBEQPVCcIi #°℃,，、;；@ ", max_size=60))
def test_any_text_is_judged_and_accepted_only_when_it_says_everything(text: str):
    for row in (
        CodeRow(legacy_code="A", name="钢筋", spec=text, unit="t"),
        CodeRow(legacy_code="A", name=text, spec="", unit=""),
    ):
        proposal = judge().proposed(judge().read(row), Evidence())
        assert 0 <= proposal.score <= 1
        if proposal.state is RowState.AUTO_ACCEPTED:
            assert proposal.score >= Decimal("0.95")
            assert not proposal.asks_for
            assert proposal.candidates[0]["variant_key"]


@pytest.mark.parametrize("part", ["1", "1/", "1x", "a-", "φ1", "1+", "钢筋", "厚1", "1-a.", "dn1 ", "i "])
def test_long_monotony_takes_no_long_time(part: str):
    begun = time.perf_counter()
    first("钢板", part * (400 // len(part)), "t")
    assert time.perf_counter() - begun < 5
