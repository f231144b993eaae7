"""What people build passwords of, and the estimator's own lists lack: Russian words, known phrases, how keys lie."""

# The keys of a Russian keyboard and those of an American one. People type either layout with the other switched on, so
# Russian letters are read as the keys they lie on: йцукен is qwerty, and пароль is gfhjkm.
RUSSIAN_KEYS = "ёйцукенгшщзхъфывапролджэячсмитьбюЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ"
LATIN_KEYS = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.~QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>"
TO_LATIN_KEYS = str.maketrans(RUSSIAN_KEYS, LATIN_KEYS)

# What Shift makes of the keys of an American keyboard: !QAZ is 1qaz.
WITHOUT_SHIFT = str.maketrans('!@#$%^&*()_+{}|:"<>?~', "1234567890-=[]\\;',./`")

# The commonest first, as the Latin keys.
RUSSIAN = tuple(
    word.translate(TO_LATIN_KEYS)
    for word in (
        "пароль привет люблю любовь тебя меня солнышко наташа максим андрей сергей марина светлана кристина "
        "александр екатерина анастасия дмитрий алексей владимир николай виктория мария елена ольга татьяна ирина "
        "юлия анна иван михаил евгений павел денис антон артем кирилл роман руслан виктор юрий олег игорь вадим "
        "настя катя саша маша даша лена таня дима вова миша коля спартак зенит динамо цска локомотив чемпион россия "
        "москва питер самара казань украина киев мама папа мамочка семья дочка сыночек котенок кошка собака зайка "
        "зайчик малыш рыбка птичка лапочка ангел счастье жизнь победа весна осень зима лето январь февраль март "
        "апрель июнь июль август сентябрь октябрь ноябрь декабрь понедельник пятница футбол хоккей музыка гитара "
        "компьютер интернет администратор админ школа работа друг подруга дружба красота королева принцесса звезда "
        "вселенная космос доступ вход секрет тайна сайт почта пользователь система твой твоя очень самый самая хочу "
        "будет навсегда всегда здравствуй здравствуйте спасибо пожалуйста хорошо добрый день утро вечер ночь один "
        "четыре пять слово слова"
    ).split()
)

# The first words of each; what follows them is estimated as it stands.
PHRASES = (
    "correcthorsebatterystaple thequickbrownfox maryhadalittlelamb tobeornottobe thatisthequestion "
    "maytheforcebewithyou allyourbase arebelongtous loremipsum dolorsitamet twinkletwinkle littlestar onceuponatime "
    "happybirthday merrychristmas happynewyear itwasthebestoftimes callmeishmael fourscoreandsevenyears wethepeople "
    "godsavethequeen godsavetheking ourfatherwhoartinheaven inthebeginning jesusismysavior letmeinplease openthedoor "
    "opensesame helloworld ilovemymom ilovemydad ilovemywife ilovemyhusband ilovemyfamily ilovemylife ihatemyjob "
    "ihatepasswords thisismypassword mypassword nopassword lordoftherings gameofthrones harrypotter starwars "
    "dontforget iforgot supercalifragilistic expialidocious antidisestablishmentarianism winteriscoming rosesarered "
    "violetsareblue thecatinthehat humptydumpty oldmacdonald rowrowrowyourboat jinglebells wewillrockyou "
    "bohemianrhapsody montuewedthufri montuewedthu tuewedthufri mondaytuesdaywednesday onetwothreefour doremifasol"
).split()
