// The adjectives of wonderwords 3.0.1, adjectivelist.txt, in the order of their code points.
// https://github.com/mrmaxguns/wonderwordsmodule
//
// The MIT License. Copyright (c) 2020 Maxim Rebguns
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of this software
// and associated documentation files (the "Software"), to deal in the Software without
// restriction, including without limitation the rights to use, copy, modify, merge, publish,
// distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
// Software is furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all copies or
// substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING
// BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
// NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
// DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
// OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

extension Wonderwords {
  /// 910 words between semicolons.
  static let adjectiveList = """
    Early;aback;abaft;abandoned;abashed;aberrant;abhorrent;abiding;abject;ablaze;abnormal;aboard;\
    aboriginal;abortive;abounding;abrasive;abrupt;absent;absorbed;absorbing;abstracted;absurd;\
    abundant;abusive;acceptable;accessible;accidental;accurate;acoustic;acrid;ad hoc;adamant;\
    adaptable;addicted;adhesive;adjoining;adorable;adventurous;afraid;aggressive;agonizing;\
    agreeable;ahead;alcoholic;alert;alike;alive;alleged;alluring;aloof;ambiguous;ambitious;amuck;\
    amused;ancient;angry;animated;annoyed;annoying;anxious;apathetic;aquatic;aromatic;arrogant;\
    ashamed;aspiring;assorted;astonishing;attractive;auspicious;available;average;aware;awful;\
    axiomatic;bad;barbarous;bashful;bawdy;beautiful;belligerent;berserk;better;bewildered;big;\
    billowy;bitter;bizarre;black;bloody;blue;blue-eyed;blushing;boiling;boorish;bored;boring;\
    boundless;brainy;brash;brave;brawny;breakable;breezy;brief;bright;broad;broken;bumpy;burly;\
    busy;cagey;callous;calm;capable;capricious;careful;cautious;ceaseless;changeable;charming;\
    cheerful;childlike;chilly;chivalrous;chubby;chunky;clammy;classy;clean;clear;clever;cloistered;\
    cloudy;clumsy;coherent;cold;colorful;colossal;combative;comfortable;concerned;condemned;\
    confused;cooing;cool;cooperative;courageous;cowardly;crabby;craven;crazy;credible;creepy;\
    crooked;crowded;cruel;cuddly;cultured;curious;curly;curved;cute;cynical;daffy;daily;damaged;\
    damaging;damp;dangerous;dapper;dark;dashing;dazzling;dead;deadpan;deafening;debonair;decisive;\
    decorous;deep;deeply;defeated;defective;defiant;delicious;delightful;demonic;depressed;\
    deranged;deserted;detailed;determined;devilish;didactic;different;difficult;diligent;direful;\
    dirty;disagreeable;discreet;disgusted;disillusioned;dispensable;distinct;disturbed;divergent;\
    dizzy;domineering;doubtful;drab;draconian;dramatic;drunk;dry;dull;dusty;dynamic;dysfunctional;\
    eager;early;earsplitting;earthy;easy;eatable;economic;educated;efficacious;efficient;elated;\
    elderly;elegant;elfin;elite;embarrassed;eminent;empty;enchanting;encouraging;endurable;\
    energetic;entertaining;enthusiastic;envious;equable;erect;erratic;ethereal;evanescent;evasive;\
    evil;excellent;excited;exclusive;exotic;expensive;exuberant;exultant;fabulous;faded;faint;fair;\
    faithful;fallacious;famous;fanatical;fancy;fantastic;fascinated;fast;fat;faulty;fearless;\
    feigned;fertile;festive;few;fierce;filthy;fine;finicky;flagrant;flaky;flashy;flat;flawless;\
    flippant;flipped-out;flowery;fluffy;fluttering;foamy;foolish;foregoing;forgetful;fortunate;\
    fragile;frail;frantic;freezing;fresh;fretful;friendly;frightened;functional;funny;furtive;\
    futuristic;fuzzy;gabby;gainful;gamy;gaping;garrulous;gaudy;gentle;giant;giddy;gifted;gigantic;\
    glamorous;gleaming;glib;glorious;glossy;godly;good;goofy;gorgeous;graceful;grandiose;greasy;\
    great;greedy;green;grieving;groovy;grotesque;grouchy;grubby;gruesome;grumpy;guarded;guiltless;\
    gullible;gusty;guttural;habitual;half;hallowed;halting;handsome;handsomely;hapless;happy;hard;\
    harmonious;harsh;heady;healthy;heartbreaking;heavenly;heavy;hellish;helpful;helpless;hesitant;\
    high;high-pitched;highfalutin;hilarious;hissing;historical;holistic;hollow;homeless;homely;\
    honorable;horrible;hospitable;hot;huge;hulking;humdrum;humorous;hungry;hurried;hurt;hushed;\
    husky;hypnotic;hysterical;icky;icy;idiotic;ignorant;ill;illegal;illustrious;imaginary;immense;\
    imminent;impartial;imperfect;important;imported;impossible;incandescent;incompetent;\
    inconclusive;industrious;inexpensive;innate;innocent;inquisitive;instinctive;internal;\
    invincible;irate;itchy;jaded;jagged;jazzy;jealous;jittery;jobless;jolly;joyous;judicious;juicy;\
    jumbled;jumpy;juvenile;kaput;kind;kindhearted;knotty;knowing;knowledgeable;known;labored;\
    lackadaisical;lacking;lamentable;languid;large;late;laughable;lavish;lazy;lean;learned;legal;\
    lethal;level;lewd;light;likeable;literate;little;lively;lonely;long;longing;loose;lopsided;\
    loud;loutish;lovely;loving;low;lowly;lucky;ludicrous;lush;luxuriant;lying;lyrical;macabre;\
    macho;maddening;madly;magenta;magical;magnificent;majestic;makeshift;malicious;mammoth;\
    maniacal;many;marked;massive;materialistic;mature;measly;meek;melodic;melted;merciful;mere;\
    mighty;mindless;miniature;minor;miscreant;misty;moaning;modern;moldy;momentous;motionless;\
    muddled;muddy;mundane;murky;mushy;mute;mysterious;naive;nappy;narrow;nasty;naughty;nauseating;\
    nebulous;needless;needy;neighborly;nervous;new;nice;nifty;noiseless;noisy;nonchalant;\
    nondescript;nonstop;nostalgic;nosy;noxious;null;numberless;numerous;nutritious;nutty;oafish;\
    obedient;obeisant;obnoxious;obscene;obsequious;observant;obsolete;obtainable;oceanic;odd;\
    offbeat;old;old-fashioned;omniscient;onerous;open;optimal;orange;ordinary;organic;ossified;\
    outrageous;outstanding;oval;overconfident;overjoyed;overrated;overt;overwrought;painful;\
    painstaking;panicky;panoramic;parched;parsimonious;pastoral;pathetic;peaceful;penitent;perfect;\
    periodic;permissible;perpetual;petite;phobic;picayune;piquant;placid;plain;plastic;plausible;\
    pleasant;plucky;pointless;poised;political;poor;possessive;powerful;precious;premium;pretty;\
    prickly;productive;profuse;protective;proud;psychedelic;psychotic;puffy;pumped;puny;purple;\
    purring;puzzled;quack;quaint;quarrelsome;questionable;quick;quickest;quiet;quixotic;quizzical;\
    rabid;racial;ragged;rainy;rambunctious;rampant;rapid;rare;raspy;ratty;real;rebellious;\
    receptive;recondite;red;redundant;reflective;relieved;reminiscent;repulsive;resolute;resonant;\
    rhetorical;rich;righteous;rightful;ripe;ritzy;roasted;robust;romantic;roomy;rotten;rough;round;\
    royal;ruddy;rural;rustic;ruthless;sable;sad;salty;sassy;satisfying;scandalous;scarce;scary;\
    scattered;scientific;scintillating;scrawny;screeching;secretive;sedate;seemly;selective;\
    selfish;shaggy;shaky;shallow;sharp;shiny;shivering;shocking;short;shrill;shy;silent;silky;\
    silly;sincere;skillful;skinny;sleepy;slimy;slippery;sloppy;slow;small;smelly;smiling;smoggy;\
    smooth;sneaky;snobbish;snotty;soft;soggy;solid;somber;sordid;sore;sour;sparkling;spectacular;\
    spicy;spiffy;spiritual;splendid;spooky;spotless;spurious;squalid;square;squealing;squeamish;\
    staking;stale;standing;statuesque;steadfast;steady;steep;stereotyped;sticky;stimulating;stingy;\
    stormy;straight;strange;strong;stupid;subdued;subsequent;substantial;successful;succinct;sulky;\
    super;supreme;swanky;sweet;sweltering;swift;symptomatic;synonymous;taboo;tacit;tacky;talented;\
    tall;tame;tan;tangible;tangy;tart;tasteful;tasteless;tasty;tawdry;tearful;teeny;teeny-tiny;\
    telling;temporary;tender;tense;tenuous;terrible;tested;testy;thankful;therapeutic;thinkable;\
    thirsty;thoughtful;thoughtless;threatening;thundering;tight;tightfisted;tiny;tired;tiresome;\
    toothsome;torpid;tough;towering;tranquil;trashy;tricky;trite;troubled;truculent;typical;\
    ubiquitous;ugliest;ugly;ultra;unable;unaccountable;unadvised;unarmed;unbecoming;unbiased;\
    uncovered;understood;undesirable;unequaled;uneven;uninterested;unsightly;unsuitable;unusual;\
    upbeat;uppity;upset;uptight;used;utopian;utter;uttermost;vacuous;vague;various;vast;vengeful;\
    venomous;verdant;versed;victorious;vigorous;vivacious;voiceless;volatile;voracious;vulgar;\
    wacky;waggish;wakeful;wandering;wanting;warlike;warm;wary;wasteful;watchful;watery;weak;\
    wealthy;weary;wee;wet;whimsical;whispering;wholesale;wicked;wide;wide-eyed;wild;willing;wiry;\
    wise;wistful;witty;woebegone;womanly;wonderful;wooden;woozy;workable;worried;worthless;\
    wrathful;wretched;wrong;wry;x-rated;yellow;yielding;young;youthful;yummy;zany;zealous;zippy;\
    zonked
    """
}
