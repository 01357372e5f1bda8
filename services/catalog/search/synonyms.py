"""What people on sites call things. Ours, from the trade's everyday words; data, no code.

Every word here finds the type beside it, in search and in material lists. A word that several types share (管材,
insulation board) finds them all.
"""

from collections.abc import Mapping

from services.catalog.search.value_words import VALUE_WORDS

__all__ = ["TYPE_WORDS", "VALUE_WORDS"]


def _words(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


TYPE_WORDS: Mapping[str, tuple[str, ...]] = {
    "RB-HRB": _words(
        "螺纹钢, 钢筋, 直条钢筋, 带肋钢筋, rebar, reinforcing bar, deformed bar, ribbed bar, 螺纹, "
        "螺纹钢筋, 抗震钢筋, 级钢, steel bar, reinforcement, reinforcing steel, reinforcement bar, "
        "热轧带肋, ribbed rebar, 钢材"
    ),
    "RB-COIL": _words(
        "盘螺, 盘条螺纹, coiled rebar, rebar in coil, 螺纹盘条, 盘螺钢, 盘条, coil rebar, 盘卷钢筋, 级钢"
    ),
    "RB-HPB": _words(
        "圆钢, 线材, 高线, 盘圆, 光圆钢筋, plain bar, round bar, wire rod, 盘条, 光圆, 光面钢筋, "
        "圆钢筋, 级钢, mild steel bar, plain rebar, smooth bar, plain round bar"
    ),
    "RB-MESH": _words(
        "钢筋网片, 钢筋网, 焊接网, wire mesh, rebar mesh, 网片, 焊网, 钢筋焊网, 冷轧带肋钢筋网, "
        "钢丝网片, steel mesh, welded mesh, welded wire mesh, welded wire fabric, reinforcing mesh, "
        "reinforcement mesh, reinforcing steel mesh, fabric mesh, steel fabric"
    ),
    "RB-STRAND": _words(
        "钢绞线, 预应力钢绞线, pc strand, strand, 预应力筋, 预应力钢束, prestressing steel, "
        "prestress strand, steel strand, wire strand, tendon"
    ),
    "RB-TRUSS": _words(
        "桁架筋, 钢筋桁架, lattice girder, rebar truss, 桁架钢筋, 叠合板用桁架, 三角桁架筋, "
        "叠合板桁架筋, girder, lattice truss"
    ),
    "RB-CUT": _words(
        "成型钢筋, 加工钢筋, cut and bend, cut and bent rebar, 钢筋加工件, 成型钢筋制品, 钢筋制品, "
        "加工成型钢筋, 钢筋半成品, 箍筋, 弯曲钢筋, 加工配送钢筋, bent bar, bent rebar, "
        "fabricated rebar, stirrup, cut and bent"
    ),
    "RB-COUPLER": _words(
        "套筒, 直螺纹套筒, 钢筋套筒, 接头, coupler, rebar coupler, 挤压套筒, 锥螺纹套筒, "
        "机械连接套筒, 钢筋接头, 连接套筒, 机械套筒, 钢筋连接套筒, 直螺纹接头, 锥套, "
        "mechanical splice, rebar splice, threaded coupler, mechanical coupler, splice sleeve"
    ),
    "RB-SLEEVE": _words(
        "灌浆套筒, grouting sleeve, grout sleeve, 半灌浆套筒, 全灌浆套筒, 灌浆连接套筒, "
        "grouted splice, grouted coupler, grouted sleeve, grout coupler"
    ),
    "ST-H": _words(
        "h型钢, h钢, hn型钢, h beam, h-beam, wide flange, h section, h形钢, h形, hw型钢, hm型钢, 热轧h型钢, "
        "h型梁, universal beam, universal column, h column, h shape, wide flange beam, 钢材"
    ),
    "ST-SEC": _words(
        "工字钢, 槽钢, 角钢, 型钢, i beam, channel, angle steel, angle, 角铁, 三角铁, 槽铁, 工钢, "
        "i section, c channel, u channel, steel channel, angle iron, angle bar, l angle, "
        "equal angle, steel section, rolled section, i-beam, 型材, 钢材"
    ),
    "ST-PLATE": _words(
        "钢板, 中厚板, 热轧板, steel plate, 铁板, 热轧钢板, 厚板, 中板, 开平板, plate, ms plate, mild steel plate, 钢材"
    ),
    "ST-RHS": _words(
        "方管, 矩管, 方钢管, 方矩管, hollow section, square tube, rhs, shs, 方矩形管, 矩形管, 方通, "
        "方钢, 矩形钢管, 冷弯方管, 方形管, rectangular tube, square hollow section, "
        "rectangular hollow section, box section, steel tube, 钢材"
    ),
    "ST-SMLS": _words(
        "无缝管, 无缝钢管, seamless pipe, seamless tube, 无缝, 厚壁管, 圆管, smls pipe, smls, "
        "structural tube, circular hollow section, chs, 钢材"
    ),
    "ST-FAB": _words(
        "钢构件, 钢结构, 钢结构构件, steel member, fabricated steel, 钢梁, 钢柱, 钢支撑, 钢桁架, "
        "钢楼梯, 铸钢节点, 箱型构件, 钢节点, 钢结构加工件, 钢结构件, 钢结构制作, steel structure, "
        "steel fabrication, structural steelwork, steelwork"
    ),
    "ST-DECK": _words(
        "楼承板, 压型钢板, steel deck, metal deck, 钢承板, 闭口楼承板, 开口楼承板, 桁架楼承板, "
        "钢筋桁架楼承板, 压型板, decking, floor deck, composite deck, steel decking, truss deck"
    ),
    "ST-BOLT": _words(
        "高强螺栓, 高强度螺栓, 扭剪螺栓, 大六角螺栓, high strength bolt, 高强度螺栓连接副, 高强螺丝, "
        "钢结构螺栓, 高强度螺丝, 扭剪型高强螺栓, hsfg bolt, structural bolt, high tensile bolt, "
        "tc bolt"
    ),
    "CN-RMC": _words(
        "商品混凝土, 商砼, 混凝土, 预拌砼, 砼, 泵送, ready mix, readymix, concrete, 预拌混凝土, "
        "商混, 混泥土, 泵送混凝土, 商品砼, 泵送砼, ready-mix, rmc, ready mixed concrete, "
        "ready mix concrete, beton"
    ),
    "CN-CEM": _words(
        "水泥, 普通硅酸盐水泥, cement, portland cement, 复合水泥, 硅酸盐水泥, 散装水泥, 袋装水泥, "
        "普硅水泥, 矿渣水泥, 洋灰, opc, ordinary portland cement, bulk cement, bagged cement"
    ),
    "CN-SAND": _words(
        "砂, 砂子, 黄砂, 河砂, 机制砂, 中砂, 粗砂, sand, 天然砂, 混合砂, 细砂, 建筑用砂, 建筑砂, "
        "人工砂, 水洗砂, 海砂, 机砂, river sand, manufactured sand, m-sand, fine aggregate, "
        "concrete sand, natural sand"
    ),
    "CN-AGG": _words(
        "碎石, 石子, 卵石, 骨料, gravel, aggregate, crushed stone, 石料, 青石子, 瓜子片, 米石, "
        "粗骨料, 砾石, 砂石料, coarse aggregate, stone, crushed rock, pebble, chippings, "
        "crushed aggregate"
    ),
    "CN-MOR": _words(
        "砂浆, 干混砂浆, 干粉砂浆, 预拌砂浆, mortar, dry mortar, 干拌砂浆, 水泥砂浆, 抹灰砂浆, "
        "砌筑砂浆, 地面砂浆, 瓷砖胶, 粘结砂浆, 干粉料, 预混砂浆, dry mix mortar, plaster mortar, "
        "masonry mortar, tile adhesive, cement mortar, render, premixed mortar, screed"
    ),
    "CN-GROUT": _words(
        "灌浆料, 套筒灌浆料, sleeve grout, 钢筋套筒灌浆料, 灌浆, 钢筋灌浆料, 套筒料, grout, "
        "grouting material, cementitious grout, sleeve grouting"
    ),
    "CN-PILE": _words(
        "管桩, 预应力管桩, phc管桩, spun pile, phc pile, 预制管桩, 预应力混凝土管桩, phc桩, "
        "混凝土管桩, 桩, 预制桩, 桩基, pipe pile, precast pile, concrete pile, spun concrete pile, "
        "pile, prestressed pile"
    ),
    "FS-PLY": _words(
        "模板, 胶合板模板, 木模板, 覆膜板, formwork plywood, plywood, 建筑模板, 木胶板, 胶合板, "
        "多层板, 清水模板, 黑模板, 竹胶板, formwork, shuttering ply, shuttering plywood, "
        "film faced plywood, ply, formply, form plywood"
    ),
    "FS-ALU": _words(
        "铝模, 铝模板, 铝合金模板, aluminium formwork, 铝膜, 铝合金模版, aluminum formwork, "
        "alu formwork, aluform, aluminium form"
    ),
    "FS-TUBE": _words(
        "架子管, 架管, 脚手架钢管, 钢管架, scaffold tube, scaffold pipe, 外架钢管, 脚手管, 外架管, "
        "脚手架管, 架子钢管, 脚手架, 外架, scaffolding pipe, scaffolding tube, scaffolding, "
        "steel scaffold pipe"
    ),
    "FS-DISC": _words(
        "盘扣, 盘扣架, 盘扣式脚手架, ringlock, 盘扣脚手架, 盘扣支架, 承插型盘扣, 承插盘扣, 轮扣架, "
        "脚手架, disklock, disc lock, disk lock, ring lock, ringlock scaffold, ringlock scaffolding, "
        "scaffolding"
    ),
    "FS-CLAMP": _words(
        "扣件, 脚手架扣件, scaffold clamp, 卡扣, 管扣, 直角扣件, 旋转扣件, 对接扣件, 十字扣件, "
        "万向扣件, 十字扣, 钢管扣件, scaffolding clamp, scaffolding coupler, swivel coupler, "
        "tube clamp, pipe clamp"
    ),
    "WL-AAC": _words(
        "加气块, 加气混凝土砌块, 砂加气块, 蒸压加气块, 砌块, aac block, aerated block, 加气砖, "
        "加气混凝土块, 轻质砖, 轻质砌块, 泡沫砖, 蒸压砌块, 蒸压加气砖, 砌体, aac, autoclaved block, "
        "lightweight block, aircrete, aac blocks"
    ),
    "WL-BRICK": _words(
        "多孔砖, 空心砖, 页岩砖, 砖, brick, 烧结砖, 烧结多孔砖, 烧结空心砖, 页岩多孔砖, 页岩空心砖, "
        "红砖, 砖块, 砌体, hollow brick, perforated brick, clay brick, fired brick, shale brick"
    ),
    "WL-CBLK": _words(
        "混凝土砌块, 小型砌块, 空心砌块, concrete block, 混凝土小砌块, 小砌块, 水泥砖, "
        "混凝土空心砌块, 空心水泥砖, 混凝土砖, 水泥砌块, 砌体, cmu, concrete masonry unit, "
        "hollow block, cement block, concrete hollow block"
    ),
    "WL-ALC": _words(
        "alc板, alc墙板, 加气混凝土板, alc panel, alc, 蒸压加气板, 蒸压加气混凝土板, 加气板, "
        "alc条板, nalc板, aac panel, autoclaved panel, aerated panel"
    ),
    "WL-PANEL": _words(
        "轻质隔墙板, 隔墙板, 条板, 轻质条板, partition panel, wall panel, 轻质墙板, 隔墙条板, "
        "轻质隔墙, 隔墙, 陶粒板, 轻质隔板, 轻质板, partition board, lightweight panel, "
        "partition wall panel, partition wall, lightweight partition"
    ),
    "WL-GYP": _words(
        "石膏板, 纸面石膏板, plasterboard, gypsum board, drywall, "
        "耐水石膏板, 吊顶板, gypsum plasterboard, sheetrock, gyp board, drywall board, "
        "plaster board, gypsum"
    ),
    "WL-STUD": _words(
        "轻钢龙骨, 龙骨, steel stud, metal stud, 隔墙龙骨, 吊顶龙骨, c型龙骨, u型龙骨, 轻钢, 竖龙骨, "
        "横龙骨, 主龙骨, 副龙骨, 天地龙骨, light gauge steel, drywall stud, ceiling channel, "
        "furring channel, stud, track, metal track, partition stud"
    ),
    "PC-SLAB": _words(
        "叠合板, 叠合楼板, 桁架叠合板, precast slab, composite slab, half slab, 叠合板底板, "
        "预制叠合板, 预制叠合板底板, 叠合楼板底板, 叠合底板, 预制板, 预制楼板, pc叠合板, pc板, "
        "预制构件, 混凝土构件, precast floor slab, precast floor, lattice slab, filigree slab, "
        "composite floor slab"
    ),
    "PC-PSLAB": _words(
        "预应力叠合板, pk板, precast slab, prestressed slab, 预应力底板, 预应力叠合板底板, "
        "预应力混凝土叠合板, 预应力薄板, 预应力板, 预制构件, 混凝土构件, prestressed plank, "
        "prestressed concrete plank, precast plank"
    ),
    "PC-XWALL": _words(
        "预制外墙板, 预制外墙, 夹心保温外墙, precast external wall, precast wall, pc外墙板, "
        "预制剪力墙外墙, 预制夹心保温外墙板, pc外墙, 三明治墙板, 夹心墙板, 外墙板, 夹心外墙板, "
        "预制墙板, 外挂墙板, 预制构件, 混凝土构件, sandwich wall, sandwich panel, facade panel, "
        "precast facade, external wall panel, sandwich wall panel"
    ),
    "PC-IWALL": _words(
        "预制内墙板, 预制内墙, precast internal wall, precast wall, pc内墙板, 预制剪力墙内墙, "
        "pc内墙, 内墙板, 预制墙板, 剪力墙板, 预制剪力墙, 预制构件, 混凝土构件, precast shear wall, "
        "internal wall panel, shear wall panel"
    ),
    "PC-BEAM": _words(
        "预制梁, 叠合梁, precast beam, pc叠合梁, 预制叠合梁, pc梁, 预制混凝土梁, 混凝土梁, 预制构件, "
        "混凝土构件, concrete beam, composite beam"
    ),
    "PC-COL": _words(
        "预制柱, precast column, 预制混凝土柱, pc柱, 预制立柱, 混凝土柱, 预制构件, 混凝土构件, concrete column"
    ),
    "PC-STAIR": _words(
        "预制楼梯, 楼梯梯段, precast stair, precast staircase, 预制双跑楼梯, 预制剪刀楼梯, 预制梯段, "
        "pc楼梯, 预制混凝土梯段, 楼梯, 楼梯段, 预制楼梯板, 楼梯板, 混凝土楼梯, 预制构件, 混凝土构件, "
        "stair, stairs, staircase, stair flight, concrete stair"
    ),
    "PC-BALC": _words(
        "预制阳台, 阳台板, 空调板, precast balcony, 预制空调板, 叠合阳台板, 全预制阳台板, "
        "预制阳台板, 阳台, 叠合阳台, 预制构件, 混凝土构件, balcony slab, balcony, precast ac slab"
    ),
    "PC-HCS": _words(
        "空心板, spd板, hollow core slab, precast slab, 预应力空心板, 预应力混凝土空心板, "
        "大跨空心板, 空心楼板, 大跨度空心板, 预制构件, hollowcore, hollow core plank, hollow core, "
        "hollowcore slab"
    ),
    "PC-PIPE": _words(
        "排水管, 混凝土管, 水泥管, concrete pipe, 钢筋混凝土管, 混凝土排水管, 水泥排水管, 砼管, "
        "承插管, 雨水管, 污水管, 管材, 管道, drain pipe, rcp, reinforced concrete pipe, rc pipe, "
        "drainage pipe, sewer pipe, culvert pipe, pipe"
    ),
    "DW-ALW": _words(
        "铝窗, 铝合金窗, 断桥铝窗, aluminum window, aluminium window, 断桥铝, 铝合金推拉窗, "
        "铝合金平开窗, 铝合金固定窗, 断桥窗, 系统窗, 铝合金门窗, 断桥铝门窗, 窗户, 窗, 门窗, "
        "aluminium windows, window, alu window"
    ),
    "DW-PVW": _words(
        "塑钢窗, 塑料窗, pvc window, upvc window, 塑钢推拉窗, 塑钢平开窗, 塑钢固定窗, 塑料推拉窗, "
        "塑料平开窗, 塑料固定窗, 塑钢, 塑料门窗, 塑钢门窗, 窗户, 窗, 门窗, plastic window, "
        "vinyl window, window"
    ),
    "DW-FIRE": _words(
        "防火门, fire door, fire rated door, 钢质防火门, 木质防火门, 甲级防火门, 乙级防火门, "
        "丙级防火门, 消防门, 门, 门窗, fire-rated door, fireproof door, fire resistant door, door"
    ),
    "DW-WOOD": _words(
        "木门, 室内门, wooden door, timber door, 实木门, 实木复合门, 复合门, 免漆门, 套装门, 房门, "
        "门, 门窗, wood door, interior door, internal door, door"
    ),
    "DW-GLASS": _words(
        "玻璃, 中空玻璃, 钢化玻璃, 夹层玻璃, glass, insulating glass, 建筑玻璃, 非钢化玻璃, "
        "夹胶玻璃, low-e玻璃, 双层玻璃, 幕墙玻璃, 双玻, tempered glass, toughened glass, "
        "laminated glass, double glazing, igu, low-e glass, insulated glass, glazing"
    ),
    "WI-SBS": _words(
        "防水卷材, sbs卷材, 沥青卷材, 改性沥青卷材, waterproofing membrane, sbs membrane, sbs, "
        "sbs防水, 改性沥青防水卷材, sbs防水卷材, sbs改性沥青, 油毡, 卷材, 防水材料, 防水, "
        "bitumen membrane, modified bitumen, torch-on membrane, asphalt membrane, "
        "bituminous membrane, roofing membrane, waterproofing"
    ),
    "WI-PU": _words(
        "聚氨酯防水, 防水涂料, polyurethane coating, waterproof coating, 聚氨酯涂膜, 聚氨酯涂料, "
        "聚氨酯涂膜防水, 聚氨酯防水涂料, pu防水, 防水漆, 聚氨酯, 防水材料, 防水, pu coating, "
        "polyurethane waterproofing, pu waterproofing, waterproofing coating, "
        "waterproofing"
    ),
    "WI-EPS": _words(
        "聚苯板, 苯板, eps板, eps board, eps, 泡沫板, 聚苯乙烯板, 聚苯保温板, 模塑板, 模塑聚苯板, "
        "白泡沫板, 保温板, 保温材料, 保温, expanded polystyrene, polystyrene board, "
        "insulation board, foam board, insulation"
    ),
    "WI-XPS": _words(
        "挤塑板, 挤塑聚苯板, xps板, xps board, xps, 挤塑, 挤塑保温板, 挤塑聚苯乙烯, 保温板, "
        "保温材料, 保温, extruded polystyrene, insulation board, foam board, insulation"
    ),
    "WI-ROCK": _words(
        "岩棉板, 岩棉, 岩棉条, rock wool, mineral wool, 岩棉保温板, 外墙岩棉, 岩棉制品, 保温板, "
        "保温材料, 保温, stone wool, rockwool, mineral wool board, insulation board, insulation"
    ),
    "ME-PPR": _words(
        "ppr管, ppr给水管, 冷热水管, 给水管, ppr pipe, ppr, pp-r, pp-r管, ppr水管, 热水管, 自来水管, "
        "水管, 管材, 管道, polypropylene pipe, hot water pipe, water pipe, water supply pipe, pipe"
    ),
    "ME-UPVC": _words(
        "pvc管, upvc管, 排水管, pvc排水管, upvc pipe, drainage pipe, upvc, pvc-u, pvc-u管, 下水管, "
        "下水管道, 污水管, 雨水管, 塑料排水管, 落水管, 水管, 管材, 管道, waste pipe, soil pipe, "
        "sewer pipe, pvc drain, pvc pipe, pvc drain pipe, pipe"
    ),
    "ME-GSP": _words(
        "焊管, 镀锌管, 镀锌钢管, galvanized pipe, steel pipe, 热镀锌钢管, 热镀锌管, 水煤气管, "
        "黑铁管, 黑管, 消防管, 消防钢管, 焊接钢管, 镀锌水管, 水管, 管材, 管道, gi pipe, "
        "black steel pipe, erw pipe, galvanised pipe, welded pipe, galvanised steel pipe, "
        "galvanized steel pipe, fire pipe, pipe"
    ),
    "ME-DIP": _words(
        "球墨管, 球墨铸铁管, ductile iron pipe, di pipe, 球墨铸铁给水管, 铸铁管, 球墨铸铁, "
        "球墨给水管, 球铁管, k9管, 球墨铸管, 离心球墨铸铁管, 水管, 管材, 管道, ductile pipe, "
        "ductile cast iron pipe, cast iron pipe, dip, pipe"
    ),
    "ME-VALVE": _words(
        "蝶阀, 阀门, butterfly valve, valve, 对夹蝶阀, 法兰蝶阀, 沟槽蝶阀, 蜗轮蝶阀, 涡轮蝶阀, "
        "电动蝶阀, 手柄蝶阀, 信号蝶阀, 阀, wafer valve, wafer butterfly valve, "
        "flanged butterfly valve"
    ),
    "ME-CABLE": _words(
        "电缆, 电力电缆, power cable, cable, 铠装电缆, 铜芯电缆, 铝芯电缆, 阻燃电缆, 耐火电缆, "
        "矿物绝缘电缆, 低压电缆, 动力电缆, armoured cable, xlpe cable, copper cable, "
        "electric cable, electrical cable, lv cable"
    ),
    "ME-WIRE": _words(
        "电线, bv线, 铜线, 塑铜线, electric wire, building wire, 铜芯线, 家装电线, 单芯线, 塑料线, "
        "护套线, 双色线, 绝缘电线, wire, house wire, copper wire, electrical wire, "
        "pvc wire"
    ),
    "ME-DUCT": _words(
        "风管, 镀锌风管, 通风管, air duct, duct, 铁皮风管, 通风管道, 镀锌铁皮风管, 镀锌板风管, "
        "白铁风管, 矩形风管, 空调风管, 排烟风管, 通风, ductwork, ventilation duct, gi duct, "
        "hvac duct, galvanized duct, galvanised duct, sheet metal duct"
    ),
    "ME-TRAY": _words(
        "桥架, 电缆桥架, 线槽, cable tray, 电缆槽, 槽式桥架, 梯式桥架, 托盘式桥架, 托盘桥架, "
        "镀锌桥架, 防火桥架, 走线架, 金属线槽, cable trunking, cable ladder, trunking, wireway, "
        "perforated tray"
    ),
    "ME-LED": _words(
        "led灯, 灯具, 筒灯, 面板灯, led light, luminaire, 灯, led面板灯, led筒灯, 平板灯, 照明灯具, "
        "照明, 应急灯, 工矿灯, 支架灯, 日光灯, 电灯, led lamp, panel light, led panel, downlight, "
        "lighting fixture, high bay, high bay light, emergency light, light fitting, lamp, lighting"
    ),
    "ME-DB": _words(
        "配电箱, 配电柜, distribution box, distribution board, 配电盘, 动力柜, 照明箱, 照明配电箱, "
        "动力配电箱, 电箱, 开关箱, 动力箱, 低压配电箱, 配电, switchboard, panelboard, db box, "
        "distribution panel, electrical panel, db board, switchgear"
    ),
    "ME-SPRK": _words(
        "喷头, 喷淋头, 消防喷头, sprinkler, 洒水喷头, 消防喷淋, 喷淋, 下垂喷头, 直立喷头, 边墙喷头, "
        "隐蔽喷头, 消防洒水喷头, sprinkler head, fire sprinkler, sprinklers, fire sprinkler head"
    ),
    "IK-BATH": _words(
        "整体卫浴, 集成卫浴, 整体卫生间, bathroom pod, 整体浴室, 集成卫生间, 集成浴室, 装配式卫生间, "
        "装配式卫浴, 预制卫生间, 整体淋浴间, 卫生间, 卫浴, prefab bathroom, prefabricated bathroom, "
        "unit bathroom, modular bathroom, bathroom unit, bathroom"
    ),
    "IK-KITCH": _words(
        "整体厨房, 集成厨房, 橱柜, kitchen pod, 整体橱柜, 装配式厨房, 集成橱柜, 厨柜, 厨房, "
        "一字型橱柜, kitchen unit, modular kitchen, kitchen cabinet, kitchen, prefab kitchen"
    ),
    "IK-WC": _words(
        "马桶, 坐便器, 座便器, toilet, water closet, 坐厕, 抽水马桶, 连体马桶, 座厕, 坐便, 卫生洁具, "
        "洁具, 卫浴, wc, toilet bowl, ceramic toilet, commode, sanitary ware"
    ),
    "IK-TAP": _words(
        "水龙头, 龙头, 水嘴, tap, faucet, 面盆龙头, 厨房龙头, 花洒, 混水龙头, 淋浴花洒, 水咀, 洁具, "
        "卫浴, mixer tap, basin mixer, basin tap, shower mixer, kitchen tap, mixer, sanitary ware"
    ),
    "FN-TILE": _words(
        "瓷砖, 地砖, 墙砖, 抛光砖, ceramic tile, floor tile, wall tile, 瓷质砖, 陶质砖, 抛釉砖, "
        "釉面砖, 玻化砖, 瓷片, 陶瓷墙地砖, 墙地砖, 仿古砖, 通体砖, 地板砖, 面砖, porcelain tile, "
        "tile, ceramic, porcelain, vitrified tile"
    ),
    "FN-PAINT": _words(
        "乳胶漆, 内墙漆, 内墙涂料, 涂料, emulsion paint, latex paint, paint, 墙面漆, 墙漆, "
        "内墙乳胶漆, 水性漆, 墙面涂料, 油漆, interior paint, wall paint, emulsion, "
        "interior wall paint"
    ),
    "MR-ANCHOR": _words(
        "膨胀螺栓, 螺栓, 五金, 紧固件, anchor bolt, expansion bolt, 膨胀螺丝, 拉爆螺丝, 拉爆, 螺丝, "
        "螺母, 膨胀螺钉, 锚栓, 胀栓, 金属膨胀螺栓, 不锈钢螺栓, 标准件, expansion anchor, fastener, "
        "anchor, bolt, screw, wedge anchor, hardware"
    ),
    "MR-PPE": _words(
        "劳保, 劳保用品, 安全帽, 手套, ppe, hard hat, gloves, 安全带, 劳保鞋, 防护用品, 安全网, "
        "密目网, 安全鞋, 劳动保护, 安全防护, safety helmet, safety harness, safety shoe, "
        "safety boot, helmet, work gloves, safety net, protective equipment, safety equipment, "
        "harness"
    ),
    "RC-AGG": _words(
        "再生骨料, 再生石子, recycled aggregate, 再生粗骨料, 再生细骨料, 再生石, 建筑垃圾再生骨料, "
        "再生砂, 再生砂石, 再生碎石, recycled concrete aggregate, rca, recycled stone, "
        "recycled sand"
    ),
}
