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

# Sayings, verses, songs and jokes, without what stands between the words; of most only the first words. What follows
# them is estimated as it stands.
PHRASES = tuple(
    phrase.translate(TO_LATIN_KEYS)
    for phrase in (
        "correcthorsebatterystaple thequickbrownfox jumpsoverthelazydog jumpedoverthelazydog maryhadalittlelamb "
        "tobeornottobe thatisthequestion maytheforcebewithyou maytheforce allyourbase arebelongtous loremipsum "
        "dolorsitamet twinkletwinkle littlestar onceuponatime happybirthday merrychristmas happynewyear "
        "itwasthebestoftimes itwastheworstoftimes callmeishmael fourscoreandsevenyears wethepeople godsavethequeen "
        "godsavetheking ourfatherwhoartinheaven hallowedbethyname inthebeginning jesusismysavior letmeinplease "
        "openthedoor opensesame helloworld ilovemymom ilovemydad ilovemywife ilovemyhusband ilovemyfamily ilovemylife "
        "ihatemyjob ihatepasswords thisismypassword mypassword nopassword lordoftherings gameofthrones harrypotter "
        "starwars dontforget iforgot supercalifragilistic expialidocious antidisestablishmentarianism "
        "winteriscoming rosesarered violetsareblue sugarissweet thecatinthehat humptydumpty satonawall oldmacdonald "
        "hadafarm rowrowrowyourboat gentlydownthestream jinglebells jinglealltheway wewillrockyou wearethechampions "
        "bohemianrhapsody iwanttobreakfree letitbe yellowsubmarine allyouneedislove heyjude imagineallthepeople "
        "stairwaytoheaven hotelcalifornia nevergonnagiveyouup youllneverwalkalone dontworrybehappy "
        "iamyourfather houstonwehaveaproblem elementarymydearwatson beammeupscotty livelongandprosper "
        "franklymydear heresjohnny iseedeadpeople toinfinityandbeyond "
        "troubador troubadour montuewedthufri montuewedthu tuewedthufri mondaytuesdaywednesday thursdayfriday "
        "onetwothreefour doremifasol abcdefghijklmnopqrstuvwxyz "
        "мамамылараму мамамыла мамамусмыла рамумама ялюблютебя ятебялюблю яверюввсехнас "
        "однаждывстуденуюзимнююпору яизлесувышел мойдядясамыхчестныхправил явампишучегожеболе "
        "япомнючудноемгновенье передомнойявиласьты улукоморьядубзеленый златаяцепьнадубетом морозисолнцеденьчудесный "
        "белеетпарусодинокий скажикадядя москваспаленнаяпожаром быловремя жилибыли жилбылстарик влесуродиласьелочка "
        "пустьвсегдабудетсолнце пустьвсегдабудетмама подмосковныевечера расцветалияблониигруши катюша наширядытесны "
        "отулыбкистанетвсемсветлей воттакиепироги мирутрудмай миртрудмай словопацана семьразотмерь одинразотрежь "
        "тишеедешьдальшебудешь безтруданевытащишьрыбку вполеберезастояла эхдубинушка ктонеработаеттотнеест "
        "союзнерушимый россиясвященнаянашадержава широкастранамояродная сднемрождения сновымгодом съешьжеещеэтихмягких "
        "французскихбулок давыпейчаю карлуклары укралкораллы ехалгрека черезреку раздватричетыре понедельниквторник "
        "каждыйохотникжелаетзнать гдесидитфазан"
    )
    .lower()
    .split()
)

# Of what people make sentences about themselves, in English and in Russian: each of these words is soon guessed from
# the one before.
SIMPLE = tuple(
    frozenset(word.translate(TO_LATIN_KEYS) for word in language.split())
    for language in (
        (
            "i im ill ive you your yours youre youll he hes she her his him it its we our us they them their my mine "
            "me myself this that these those the a an and or but not no yes so very much more too in on at to of for "
            "from with by up down out off over under into am is are was were be been have has had do does dont did "
            "didnt can cant will wont would should could must want wanna need like love loves loved hate miss know "
            "think see go going get got give take make eat drink sleep live work play walk run come came say said "
            "tell told feel let please never always ever every everyday day night time year today now forever again "
            "alone here there all one what who why how when where mom mum dad mother father brother sister son "
            "daughter wife husband baby boy girl friend family man woman god law hello hi good bad best big little "
            "new old happy really just only because if then than as two three four five six seven eight nine ten "
            "eleven twelve thirteen twenty thirty hundred thousand zero first"
        ),
        (
            "я ты он она оно мы вы они меня тебя его ее нас вас их мне тебе ему ей нам вам им мной мой моя мое мои "
            "твой твоя твое наш наша ваш ваша свой своя это этот эта тот та все всех всегда никогда очень так как "
            "что кто где когда почему и а но или не ни да нет сильно крепко в во на с со к у о об по за из от до для "
            "без есть был была было были буду будет быть хочу хочет могу можно надо нужно люблю любит любишь любим "
            "ненавижу знаю знает думаю вижу иду живу ем пью сплю играю каждый каждая день ночь утро год раз время "
            "жизнь дом работа мама мамы маму папа папу брат сестра сын дочь жена муж друг друзья семья кот кошка "
            "собака человек бог привет пока спасибо пожалуйста самый самая лучший лучшая хороший большой новый мыла "
            "мыло раму ноль один одна два две три четыре пять шесть семь восемь девять десять сто двадцать тридцать "
            "тысяча"
        ),
    )
)
