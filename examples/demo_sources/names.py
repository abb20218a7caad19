"""Names of the sample learners: common given names and surnames of each language, combined freely.

The lists hold names that are frequent in a language, so a combination may well be somebody's name;
none was taken from a person.
"""

from collections.abc import Callable
from dataclasses import dataclass

Dice = Callable[[], float]
"""Returns the next random number, at least 0 and below 1."""


@dataclass(frozen=True)
class Language:
    """A language with its names.

    Args:
        tag: Language tag (BCP 47).
        share: How many of the sample's learners use it.
        women: Given names of women.
        men: Given names of men.
        surnames: Surnames of both.
        surnames_of_women: Where women's surnames differ, in the same order; else empty.
        pattern: How the parts of a name are put together.
    """

    tag: str
    share: int
    women: str
    men: str
    surnames: str
    surnames_of_women: str = ""
    pattern: str = "{given} {surname}"


def pick(words: str, dice: Dice) -> str:
    """Return one of the words of a text."""
    choices = words.split()
    return choices[int(dice() * len(choices))]


def full_name(language: Language, dice: Dice) -> str:
    """Put a name together as the language does."""
    woman = dice() < 0.5
    surnames = language.surnames_of_women if woman else ""
    return language.pattern.format(
        given=pick(language.women if woman else language.men, dice),
        middle=pick("Thị Thu Ngọc Thanh" if woman else "Văn Đức Minh Quang", dice),
        surname=pick(surnames or language.surnames, dice),
        second=pick(language.surnames, dice),
    )


LANGUAGES = (
    Language(
        "en",
        68,
        "Grace Hannah Emily Charlotte Amelia Ruth Naomi Zoë Chloë Imogen Siobhán Niamh",
        "Oliver Henry Samuel Arthur Daniel Noah Callum Rhys Owen Theodore Seán Isaac",
        "Bennett Clarke Walker Hughes O'Brien Mitchell Carter Wright Turner Ellis Okafor "
        "Osei Harrison Fletcher O'Sullivan Whitfield Baker-Lloyd Marsh Doyle",
    ),
    Language(
        "pl",
        100,
        "Małgorzata Agnieszka Katarzyna Zofia Łucja Jadwiga Bożena Elżbieta Hanna Julia Aleksandra",
        "Paweł Łukasz Mikołaj Grzegorz Zbigniew Radosław Bartłomiej Wojciech Jędrzej Szymon Jakub",
        "Kowalski Wiśniewski Wójcik Kamiński Lewandowicz Zieliński Szymański Woźniak Dąbrowski "
        "Kozłowski Jankowski Mazur Krawczyk Piątek Grabowski Pająk Wróbel Gąsior Żak Brzęk",
        "Kowalska Wiśniewska Wójcik Kamińska Lewandowicz Zielińska Szymańska Woźniak Dąbrowska "
        "Kozłowska Jankowska Mazur Krawczyk Piątek Grabowska Pająk Wróbel Gąsior Żak Brzęk",
    ),
    Language(
        "de",
        80,
        "Anna Käthe Jürgine Lena Sophie Heike Ursula Brünhild Marie Frieda Antje Änne",
        "Jürgen Björn Götz Eckhard Lukas Jörg Florian Günther Sören Veit Hannes Rüdiger",
        "Müller Schröder Weiß Krüger Jäger Böhm Großmann Köhler Vogel Strauß Lindner Fröhlich "
        "Schäfer Hübner Groß Günzel Meißner Brandt Kühn Löffler",
    ),
    Language(
        "pt-BR",
        70,
        "Ana Conceição Júlia Letícia Beatriz Inês Antônia Luíza Patrícia Márcia Débora Lívia",
        "João Antônio José Luís Fábio César Maurício Sérgio Rogério Vinícius Caíque Otávio",
        "Gonçalves Araújo Conceição Magalhães Nóbrega Guimarães Simões Assunção Brandão Galvão "
        "Falcão Leitão Cândido Damião Patrício Vitório",
        pattern="{given} {second} {surname}",
    ),
    Language(
        "es",
        66,
        "María Lucía Sofía Inés Begoña Ángela Rocío Belén Concepción Itziar Mónica Verónica",
        "José Andrés Iñaki Álvaro Ramón Tomás Jesús Germán Íñigo Nicolás Óscar Hernán",
        "García Fernández Núñez Muñoz Ibáñez Ordóñez Pérez López Sánchez Gómez Martínez Peña "
        "Castaño Acuña Vélez Yáñez Álvarez Domínguez",
        pattern="{given} {surname} {second}",
    ),
    Language(
        "fr",
        58,
        "Hélène Aurélie Zoé Chloé Françoise Léa Noëlle Agnès Cécile Maëlys Anne-Sophie Éléonore",
        "François Jérôme Loïc Théo André Benoît Cédric Gaël Rémi Étienne Jean-Noël Mathéo",
        "Lefèvre Bénard Gauthier Chevallier Garçon Hébert Léger Prévost Mercier Besançon "
        "Lacroix Pélissier Rivière Dubois-Noël Béranger Guérin L'Hermitte Forêt",
    ),
    Language(
        "cs",
        50,
        "Tereza Kateřina Lucie Markéta Zdeňka Věra Jiřina Drahomíra Alžběta Růžena Šárka Žaneta",
        "Přemysl Ondřej Tomáš Lukáš Matěj Vojtěch Luděk Řehoř Štěpán Zdeněk Kryštof Radomír",
        "Novotný Dvořáček Černý Procházka Kučera Veselý Horáček Němec Pokorný Pospíšil Hájek "
        "Růžička Beneš Fiala Sedláček Šimek",
        "Novotná Dvořáčková Černá Procházková Kučerová Veselá Horáčková Němcová Pokorná "
        "Pospíšilová Hájková Růžičková Benešová Fialová Sedláčková Šimková",
    ),
    Language(
        "tr",
        50,
        "Ayşe Zeynep Gülşen İpek Çiğdem Özlem Şule Tuğba Işıl Hatice Büşra Nazlı",
        "Selçuk Çağrı İsmail Oğuz Ömer Şükrü Yiğit Ümit Yusuf Işık Kağan Gökhan",
        "Yılmaz Çakır Şahin Yıldırım Öztürk Aydın Özdemir Kılıç Doğan Çetin Kaplan Kurt Özkan "
        "Şengül Polat Güneş Aksoy Taş Işık",
    ),
    Language(
        "is",
        24,
        "Guðrún Þórunn Sigríður Ásta Birna Þóra Hólmfríður Ragnheiður Áslaug Æsa",
        "Guðmundur Þórður Björn Sigurður Jökull Ævar Össur Friðrik Þorsteinn Árni",
        "Jónsson Guðmundsson Þórðarson Sigurðsson Björnsson Árnason Hróarsson Þorsteinsson",
        "Jónsdóttir Guðmundsdóttir Þórðardóttir Sigurðardóttir Björnsdóttir Árnadóttir "
        "Hróarsdóttir Þorsteinsdóttir",
    ),
    Language(
        "hu",
        30,
        "Zsófia Eszter Katalin Erzsébet Ildikó Ágnes Réka Csilla Boglárka Mónika",
        "Kálmán Gergő Ákos Vince Gyula Jenő Árpád Csongor Győző Dezső",
        "Szűcs Kovács Tóth Szabó Hegedűs Nagy Kőműves Fazekas Székely Bíró Gergely Kerekes",
        pattern="{surname} {given}",
    ),
    Language(
        "vi",
        46,
        "Hương Thảo Hằng Yến Phượng Trúc Quỳnh Diễm Ngân Hạnh Tuyết",
        "Hùng Dũng Tuấn Phước Cường Thịnh Đạt Bảo Nghĩa Vượng Hậu",
        "Nguyễn Trần Lê Phạm Huỳnh Phan Võ Đặng Bùi Đỗ Hồ Ngô Dương",
        pattern="{surname} {middle} {given}",
    ),
    Language(
        "uk",
        70,
        "Олена Ірина Наталія Оксана Юлія Ганна Світлана Соломія Ївга Мар'яна Людмила Євгенія",
        "Іван Дмитро Олексій Богдан Юрій Микола Ігор Євген Лук'ян Захар Їлья Ярослав",
        "Бондаренко Ткаченко Кравчук Мельник Поліщук Гриценко Лисенко Савчук Ковальчук Щербак "
        "Литвиненко Гайдамака Єременко Ґудзь Їжакевич Панченко",
    ),
    Language(
        "bg",
        30,
        "Мария Десислава Цветелина Гергана Йорданка Ралица Вяра Снежана",
        "Захари Димитър Калоян Пламен Йордан Стоян Борислав Любомир",
        "Иванов Димитров Петков Ангелов Стоянов Тодоров Желязков Въчков Цанев",
        "Иванова Димитрова Петкова Ангелова Стоянова Тодорова Желязкова Въчкова Цанева",
    ),
    Language(
        "sr",
        24,
        "Јелена Милица Ђурђина Љиљана Снежана Весна Његослава Драгана",
        "Ђорђе Урош Љубомир Његош Немања Драган Душан Жељко",
        "Јовановић Петковић Ђурић Љубић Њежић Вучетић Џамић Стојановић Ћирић Живковић",
    ),
    Language(
        "el",
        44,
        "Ελένη Μαρία Αικατερίνη Σοφία Ιωάννα Χρυσούλα Αγγελική Δέσποινα Ευαγγελία Ζωή",
        "Σταύρος Δημήτριος Ιωάννης Παναγιώτης Χρήστος Σπυρίδων Άγγελος Ηλίας Θωμάς Ραφαήλ",
        "Παπαδόπουλος Οικονόμου Καραγιάννης Βασιλείου Γεωργίου Δημητρίου Νικολαΐδης Αθανασίου "
        "Μακρής Ιωαννίδης",
        "Παπαδοπούλου Οικονόμου Καραγιάννη Βασιλείου Γεωργίου Δημητρίου Νικολαΐδου Αθανασίου "
        "Μακρή Ιωαννίδου",
    ),
    Language(
        "ar",
        54,
        "فاطمة مريم عائشة نور ليلى سارة هدى زينب رانيا سلمى ياسمين خديجة",
        "محمد أحمد علي عمر يوسف إبراهيم خالد حسن كريم طارق مصطفى سامي",
        "الأحمد الخطيب النحاس العلي نجار العطار الشامي عبدالله الزهراني سليمان الصباغ الراوي بركات",
    ),
    Language(
        "he",
        42,
        "נועה תמר מאיה שירה יעל רחל מיכל אביגיל רבקה הדס",
        "אייל יוסף גלעד איתי נועם אורי יעקב דניאל עידו אלון",
        "כהן לוי מזרחי פרץ ביטון דהן אברהם פרידמן מלכה אזולאי חדד בן־דוד גבאי",
    ),
    Language(
        "hi",
        52,
        "प्रिया अंजलि कविता सुनीता दीपिका नेहा पूजा श्रुति ऋतु मीनाक्षी ज्योति",
        "राहुल दिनेश गिरीश विकास नवीन कृष्ण हरीश मनीष सूर्य हृदय ईश्वर",
        "शर्मा वर्मा गुप्ता सिंह मिश्रा त्रिपाठी चौधरी द्विवेदी जोशी अग्रवाल श्रीवास्तव पाण्डेय",
    ),
    Language(
        "zh",
        60,
        "芳 秀英 丽 敏 静 雨桐 欣怡 梓涵 晓燕 玉兰 婷婷 思远",
        "伟 刚 勇 平 浩然 子轩 宇航 建国 志强 俊杰 鹏飞 文博",
        "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 欧阳 司马",
        pattern="{surname}{given}",
    ),
    Language(
        "ja",
        54,
        "さくら 陽菜 結衣 美咲 ひなた 遥 葵 千尋 めぐみ 恵子 あかり 七海",
        "翔太 健一 光 蓮 悠斗 拓也 直樹 りく 亮太 和也 ケンジ 隼人",
        "佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 加藤 吉田 斎藤 佐々木 清水 森 長谷川",
        pattern="{surname} {given}",
    ),
    Language(
        "ko",
        46,
        "서연 가영 민서 하은 수빈 예은 지영 은정 미경 혜진 보람",
        "민준 도윤 주원 재민 동혁 준서 성민 영호 상철 형석 새롬",
        "김 이 박 최 정 강 조 윤 장 임 한 오 서 남궁 황보",
        pattern="{surname}{given}",
    ),
    Language(
        "th",
        42,
        "สมหญิง วิภา กัญญา พิมพ์ใจ นภัสสร สุดารัตน์ ปิยะดา อรุณี น้ำฝน ชุติมา",
        "สมชาย ประเสริฐ ณัฐวุฒิ ธนากร กิตติพงษ์ วีระ สุรชัย อนันต์ พีรพล ศักดิ์ดา",
        "ใจดี ศรีสุข ทองคำ แก้วมณี บุญมี รักษ์ไทย ทรัพย์เจริญ พูลสวัสดิ์ สุขสันต์ แสงทอง เรืองศรี",
    ),
)
