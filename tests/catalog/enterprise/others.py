"""What stands in a material list and is in no taxonomy of ours: name, spec, unit, category.

`OTHER_GOODS` are of no type, though many borrow its words (a cutter of rebar is no rebar). `NEAR_MISSES` are of a type
but of a value that type does not have: a withdrawn grade, a size between two sizes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Other:
    """Goods outside, with the figures they come in."""

    name: str
    specs: tuple[str, ...]
    unit: str
    category: str
    type_code: str | None = None
    """For a near miss: the type it almost is."""
    because: str = "of no type of the taxonomy"


def _goods(unit: str, category: str, text: str) -> list[Other]:
    """Lines of `name: spec | spec`."""
    found = []
    for line in text.strip().splitlines():
        name, _, specs = line.strip().partition(": ")
        parts = tuple(each.strip() for each in specs.split("|"))
        found.append(Other(name=name, specs=parts, unit=unit, category=category))
    return found


def _near(type_code: str, unit: str, category: str, because: str, text: str) -> list[Other]:
    return [
        Other(name=each.name, specs=each.specs, unit=unit, category=category, type_code=type_code, because=because)
        for each in _goods(unit, category, text)
    ]


OTHER_GOODS = (
    *_goods(
        "台",
        "机械设备",
        """
        钢筋切断机: GQ40 | GQ50
        钢筋弯曲机: GW40 | GW42
        直螺纹套丝机: HGS-40 | TS-40
        混凝土振动棒电机: ZN50 1.5kW | ZN70 2.2kW
        砂浆搅拌机: JZM350 | UJW200
        电焊机: BX1-500 | ZX7-400
        潜水泵: QDX10-16-0.75 | WQ25-8-1.5
        塔吊标准节: QTZ80 | QTZ63
        施工电梯: SC200/200
        角磨机: 100型 | 125型
        空压机: 0.9/8 | W-3/5
        """,
    ),
    *_goods(
        "项",
        "分包/服务",
        """
        混凝土泵送费: 汽车泵 | 地泵
        钢筋制作安装劳务: 综合单价
        塔吊租赁: QTZ80 月租
        脚手架搭拆劳务: 双排落地
        钢筋见证取样检测费: HRB400E
        混凝土试块检测费: C30 抗压
        垃圾清运: 建筑垃圾
        防水工程分包: SBS 双层
        """,
    ),
    *_goods(
        "kg",
        "化工/辅材",
        """
        电焊条: J422 Φ3.2 | J506 Φ4.0
        绑扎铁丝: 22# | 20#
        圆钉: 2寸 | 3寸 | 70mm
        柴油: 0# | -10#
        脱模剂: 水性 | 油性
        混凝土减水剂: 聚羧酸 固含40%
        植筋胶: A级 改性环氧
        瓷砖背胶: 单组分 5kg
        防锈漆: 红丹 13kg | 铁红
        玻璃胶: 中性硅酮 | 酸性
        腻子粉: 内墙 20kg | 外墙耐水
        环氧地坪漆: 中涂 25kg
        真石漆: 外墙 80kg
        膨润土: 钠基
        """,
    ),
    *_goods(
        "个",
        "五金/辅材",
        """
        钢筋保护层垫块: 20mm | 25mm 混凝土垫块
        塑料马凳: H=80 | 100
        对拉止水螺杆: M14 L=600
        蝴蝶卡: Φ12
        PPR弯头: De25 90° | De32
        镀锌三通: DN50 | DN25
        法兰盘: DN100 PN16 | DN150 PN10
        闸阀: Z41T-16 DN80 | DN100 PN16
        截止阀: J11W-16T DN25 | DN40
        止回阀: H44X-10 DN100
        水表: DN20 | DN50 LXS
        地漏: DN50 不锈钢
        灯头: E27 螺口
        开关面板: 86型 单开双控 | 双开
        插座: 10A 五孔 | 16A 三孔
        断路器: DZ47-63 C32 2P | C16 1P
        电缆头: 4×25+1×16 冷缩 | 3×120
        桥架弯通: 200×100 水平 | 垂直
        消火栓箱: 800×650×240 | 1000×700×240
        灭火器: MFZ/ABC4 | MFZ/ABC8
        门锁: 防火门锁 | 执手锁
        合页: 4寸 不锈钢 | 5寸
        闭门器: 60kg | 防火门用
        切割片: Φ350 | Φ400
        钻头: Φ12×160 | Φ16×200
        """,
    ),
    *_goods(
        "m2",
        "其他材料",
        """
        土工布: 200g/㎡ | 300g/㎡
        密目式防尘网: 3针 绿色 | 6针
        塑料薄膜: 0.08mm | 双层
        彩钢夹芯板: 50厚 | 75厚
        花岗岩石材: 芝麻白 20mm | 芝麻灰 30厚
        强化复合地板: 12mm | 8mm
        铝单板: 2.5mm 氟碳 | 3.0mm
        玻璃幕墙: 6+12A+6 明框
        硅酸钙板: 8mm | 10mm
        三元乙丙防水卷材: EPDM 1.5mm
        自粘聚合物改性沥青防水卷材: N类 PE 1.5mm
        """,
    ),
    *_goods(
        "m",
        "其他管线",
        """
        PE给水管: De110 PN1.0 SDR17 | De63 PN1.6
        HDPE双壁波纹管: DN300 SN8 | DN400 SN4
        不锈钢水管: DN25 304 | DN50
        JDG线管: Φ20×1.2 | Φ25
        PVC穿线管: Φ20 中型 | Φ25 重型
        网线: CAT6 UTP 4×2×0.57 | CAT5e
        光缆: GYTS-12B1 | GYTS-24B1
        控制电缆: KVV 7×1.5 | KVVP 10×1.5
        钢丝绳: Φ16 6×19 | Φ13
        橡塑保温管: Φ28×20 | Φ60×30
        安全警示带: 50m 红白
        橡胶止水带: 300×8 中埋式 | 350×10
        """,
    ),
    *_goods(
        "件",
        "办公/生活",
        """
        A4复印纸: 70g 500张
        办公桌: 1400×700×750
        文件柜: 铁皮 1800×850
        硒鼓: CF226A
        矿泉水: 550ml×24
        雨衣: 分体 XL
        反光背心: 黄色
        集装箱活动房: 6000×3000×2800
        高低床: 1950×900
        防暑药品: 藿香正气水
        """,
    ),
)

NEAR_MISSES = (
    *_near(
        "RB-HRB",
        "t",
        "钢材/钢筋",
        "a grade the type does not have",
        "螺纹钢: HRB335 Φ20 12m | 二级钢 Φ16 9m | HRB335E Φ25×12m\n二级螺纹钢: Φ18 9m | Φ22 12m",
    ),
    *_near("RB-HRB", "t", "钢材/钢筋", "a diameter the type does not have", "螺纹钢: HRB400E Φ15 12m | HRB400 Φ24 9m"),
    *_near("RB-HRB", "t", "钢材/钢筋", "a length the type does not have", "螺纹钢: HRB400E Φ20 6m | HRB400E Φ25 10m"),
    *_near("RB-HPB", "t", "钢材/钢筋", "a grade the type does not have", "圆钢: HPB235 Φ8 | HPB235 Φ10"),
    *_near("CN-RMC", "m3", "混凝土", "a grade the type does not have", "商品混凝土: C10 坍落度160±20 | C18 坍落度180"),
    *_near("CN-CEM", "t", "水泥", "a grade the type does not have", "水泥: P.O 22.5 袋装 | P.O 72.5 散装"),
    *_near(
        "ST-H",
        "t",
        "钢材/型钢",
        "a grade the type does not have",
        "H型钢: HN400×200×8×13 Q345B 12m | Q460C HW300×300×10×15 L=12m",
    ),
    *_near(
        "ST-PLATE", "t", "钢材", "a grade the type does not have", "钢板: 20×2200×9000 Q345B | 花纹板 4×1500×6000 Q195"
    ),
    *_near(
        "ST-BOLT",
        "set",
        "钢结构",
        "a size the type does not have",
        "高强螺栓: 扭剪型 M18×60 10.9S | 大六角 M36×100 10.9S",
    ),
    *_near(
        "WL-AAC", "m3", "砌体", "a size the type does not have", "加气块: 600×180×200 A3.5 B06 | 590×200×190 A5.0 B07"
    ),
    *_near(
        "WL-GYP", "piece:张", "装饰", "a size the type does not have", "普通纸面石膏板: 2440×1220×9.5 | 2400×1200×10"
    ),
    *_near("DW-FIRE", "piece:樘", "门窗", "a rating the type does not have", "钢质防火门: 丁级 单扇 1000×2100"),
    *_near("WI-SBS", "m2", "防水", "a thickness the type does not have", "SBS防水卷材: Ⅰ型 PY PE 2mm | Ⅱ型 PY PE 6mm"),
    *_near("ME-PPR", "m", "管材", "a series the type does not have", "PPR管: De20 S6.3 | De32 S8"),
    *_near("ME-GSP", "m", "管材", "a size the type does not have", "镀锌钢管: DN90 壁厚4.0 | DN300 壁厚6"),
    *_near(
        "ME-VALVE",
        "piece:个",
        "阀门",
        "a pressure the type does not have",
        "对夹蝶阀: DN100 PN40 蜗轮 | DN80 PN64 手柄",
    ),
    *_near(
        "ME-CABLE",
        "m",
        "电气",
        "a model the type does not have",
        "电力电缆: ZC-VV 4×25+1×16 | ZB-YJLV22 4×35+1×16 | NH-VV22 3×50",
    ),
    *_near("ME-WIRE", "roll", "电气", "a size the type does not have", "铜芯电线: BV0.75 红色 | BV35 黄绿双色"),
    *_near(
        "FS-PLY",
        "piece:张",
        "周转材料",
        "a thickness the type does not have",
        "覆膜建筑模板: 1830×915×10 | 2440×1220×21",
    ),
    *_near("RB-COUPLER", "piece:个", "钢材", "a size the type does not have", "直螺纹套筒: Φ50 Ⅰ级 | Φ14 Ⅰ级"),
    *_near("CN-PILE", "m", "桩基", "a size the type does not have", "预应力管桩: PHC-450(95)AB-12 | PHC-1200(150)B-10"),
    *_near("ME-SPRK", "piece:只", "消防", "a temperature the type does not have", "下垂型喷头: 72℃ K80 | 182℃ K115"),
)
